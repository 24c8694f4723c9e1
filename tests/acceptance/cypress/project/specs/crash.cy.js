describe('crash', () => {
  it('before', () => {});

  it('takes its browser down', () => {
    cy.then(() => Cypress.automation('remote:debugger:protocol', { command: 'Page.crash' }));
  });

  it('after', () => {});
});
