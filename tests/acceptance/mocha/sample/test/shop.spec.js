const assert = require('node:assert');
let tries = 0;
describe('Cart', () => {
  it('passes', () => {});
  it('fails', () => assert.strictEqual(1, 2));
  it.skip('skipped', () => {});
  it('skips itself', function () { this.skip(); });
  it('pending');
  it('flaky', function () { this.retries(2); tries += 1; if (tries < 2) throw new Error('first'); });
  it('times out', function (done) { this.timeout(20); });
  for (const text of ['ü☂', '"quoted"', 'a/b']) it(`parametrised [${text}]`, () => {});
});
describe('twins', () => { for (const fails of [false, true]) it('twin', () => assert(!fails, 'the second')); });
describe('hooks', () => {
  const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
  beforeEach(() => wait(30));
  afterEach(() => wait(20));
  it('has slow hooks', () => {});
});
describe('broken set-up', () => {
  beforeEach(() => { throw new RangeError('no server'); });
  it('errors in setup', () => {});
  it('never runs', () => {});
});
describe('broken tear-down', () => { afterEach(() => { throw new TypeError('left over'); }); it('errors in teardown', () => {}); });
describe('broken before all', () => { before(() => { throw new Error('no db'); }); it('errors before', () => {}); });
describe('broken after all', () => { after(() => { throw new Error('no db'); }); it('passes before', () => {}); });
