/** Every way a test can end. */
import { expect, test } from '@playwright/test';
import { Cart, connect } from '../shop';

test('passes', () => {
  const cart = new Cart();
  cart.add('tea');
  expect(cart.count()).toBe(1);
});

test('fails', () => {
  const cart = new Cart();
  cart.add('tea');
  expect(cart.count()).toBe(2);
});

test.describe('with a warehouse', () => {
  test.beforeEach(() => connect('warehouse'));

  test('errors in setup', () => {});
});

test.describe('leaving a mess', () => {
  test.afterEach(() => connect('warehouse'));

  test('errors in teardown', () => {});
});

test.skip('skipped', { annotation: { type: 'issue', description: 'the till is closed on Sundays' } }, () => {});

test('skipped at run time', () => {
  test.skip(true, 'the till is closed on Sundays');
});

test('fails as expected', () => {
  test.fail(true, 'known');
  expect(new Cart().count()).toBe(1);
});

test('passes unexpectedly', () => {
  test.fail(true, 'mended, but nobody has noticed');
  expect(new Cart().count()).toBe(0);
});

test('times out', async () => {
  test.setTimeout(500);
  await new Promise(() => {});
});

test.describe('in order', () => {
  test.describe.configure({ mode: 'serial' });

  test('first of an order', () => connect('till'));

  test('second of an order', () => {});
});

for (const item of ['tea', 'größe 🎉', '1/2 l', `'single' "double"`, 'back\\slash']) {
  test(`parametrised: ${item}`, () => {
    const cart = new Cart();
    cart.add(item);
    expect(cart.count()).toBe(1);
  });
}
