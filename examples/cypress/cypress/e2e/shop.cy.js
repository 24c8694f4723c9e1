// The shop's page and its API.

describe('the shop', () => {
  beforeEach(() => {
    cy.visit('/');
  });

  it('nested steps', () => {
    cy.fillTheCart('tea', 'coffee');
    cy.cartShouldHold(2);
  });

  it('pays in the page', () => {
    cy.get('[name=card]').type('s3cret');
    cy.get('#pay').click();
    cy.get('#receipt').should('have.text', 'paid: 201');
  });

  it('fails to find', { defaultCommandTimeout: 200 }, () => {
    cy.get('#refund').click();
  });
});

it('http calls', () => {
  cy.request('/api/users/42?token=s3cret').its('status').should('equal', 200);
  cy.request('POST', '/api/orders', { item: 'tea' }).its('status').should('equal', 201);
  cy.request({ url: '/api/orders/ORD-1001', failOnStatusCode: false }).its('status').should('equal', 404);
});

it('slow', () => {
  cy.wait(2500);
});
