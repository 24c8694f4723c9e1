Cypress.Commands.add('fillTheCart', (...items) => {
  cy.get('#shelf').within(() => {
    for (const item of items) {
      cy.get('[name=item]').type(item);
      cy.get('button').click();
    }
  });
});

Cypress.Commands.add('cartShouldHold', (number) => {
  cy.get('#cart li').should('have.length', number);
});
