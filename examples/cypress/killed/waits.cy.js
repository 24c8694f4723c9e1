it('before', () => {
  expect([1]).to.have.length(1);
});

it('killed', () => {
  cy.wait(600_000);
});
