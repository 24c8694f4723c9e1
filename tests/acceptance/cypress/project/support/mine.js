Cypress.Commands.add('pay', () => {
  cy.get('#pay').click();
  cy.get('#receipt').should('have.text', '201');
});

beforeEach(() => {
  cy.wrap('from the support file').as('support');
});
