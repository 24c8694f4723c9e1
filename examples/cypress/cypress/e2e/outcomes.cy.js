// Every way a test can end.

describe('outcomes', () => {
  it('passes', () => {
    expect([1, 2]).to.have.length(2);
  });

  it('fails', () => {
    expect([1]).to.have.length(2);
  });

  it.skip('skipped', () => {});

  it('skipped on Sundays', function () {
    this.skip();
  });

  let tries = 0;
  it('flaky', { retries: 2 }, () => {
    tries += 1;
    expect(tries, 'the recommendations have not loaded yet').to.be.greaterThan(1);
  });

  for (const item of ['tea', 'größe 🎉', '1/2 l', `'single' "double"`, 'back\\slash']) {
    it(`parametrised with ${item}`, () => {
      expect([item]).to.include(item);
    });
  }
});

describe('the warehouse does not answer', () => {
  const connect = (name) => {
    throw new TypeError(`${name} does not answer`);
  };

  context('before', () => {
    beforeEach(() => connect('warehouse'));
    it('errors in setup', () => {});
    it('skipped behind it', () => {});
  });

  context('afterwards', () => {
    afterEach(() => connect('warehouse'));
    it('errors in teardown', () => {});
  });
});
