// Pages, requests, and what is between a test and us.

const site = Cypress.env('site');

it('has a task of its own', () => {
  cy.task('add', [1, 2]).should('equal', 3);
});

it('sees each request itself', () => {
  const seen = [];
  cy.intercept('**', (request) => {
    seen.push(request.url);
  });
  cy.visit(site);
  cy.pay();
  cy.then(() => {
    expect(seen.filter((url) => !url.startsWith(site))).to.deep.equal([]);
    expect(seen).to.include(`${site}/api/orders/1001?token=s3cret`);
  });
});

it('goes to another site', () => {
  cy.wrap('before').should('equal', 'before');
  cy.request(`${site}/api/users/7`);
  cy.visit(site.replace('127.0.0.1', 'localhost'));
  cy.pay();
});

it('stops the clock', () => {
  cy.clock();
  cy.visit(site);
  cy.get('#pay');
  cy.tick(86_400_000);
});

it('asks for what is not there', { retries: 0 }, () => {
  cy.request({ url: `${site}/api/nowhere?token=s3cret`, headers: { 'X-Token': 's3cret' } });
});

it('asks nobody', { retries: 0 }, () => {
  cy.request({ url: 'http://127.0.0.1:9/?token=s3cret', retryOnNetworkFailure: false });
});

it('fails within', { retries: 0, defaultCommandTimeout: 100 }, () => {
  cy.visit(site);
  cy.get('body').within(() => {
    cy.get('#pay').then(() => {
      cy.get('#refund');
    });
  });
});
