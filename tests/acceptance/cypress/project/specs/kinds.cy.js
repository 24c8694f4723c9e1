// Every way a test can end, and be named.

describe('kinds', () => {
  before(() => {
    cy.wait(20);
  });

  it('passes', function () {
    expect(this.support).to.equal('from the support file');
  });

  it('is called the same', () => {});
  it('is called the same', () => {});

  it('', () => {});

  it('fails twice', () => {
    throw new RangeError('out of tea');
  });

  let tries = 0;
  it('passes at the second attempt', () => {
    tries += 1;
    expect(tries).to.equal(2);
  });

  it.skip('is left out', () => {});
  it('is to be done');
  it('leaves itself out', function () {
    this.skip();
  });
});

describe('before all fails', { retries: 0 }, () => {
  before(() => {
    throw new Error('no shop');
  });
  it('first', () => {});
  it('second', () => {});
});

describe('before each fails at the second', { retries: 0 }, () => {
  let number = 0;
  beforeEach(() => {
    number += 1;
    if (number > 1) throw new Error('no shop');
  });
  it('first', () => {});
  it('second', () => {});
  it('third', () => {});
});

describe('after each fails', { retries: 0 }, () => {
  afterEach(() => {
    throw new Error('no broom');
  });
  it('first', () => {});
  it('second', () => {});
});

describe('after all fails', { retries: 0 }, () => {
  after(() => {
    throw new Error('no broom');
  });
  it('first', () => {});
  it('last', () => {});
});
