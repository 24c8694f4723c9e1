import { expect, test } from '@playwright/test';

test('passes', () => {});

test('fails', () => {
  expect(1).toBe(2);
});

test('raises', () => {
  throw new TypeError('https://alice:s3cret@shop.example/orders?token=s3cret did not answer');
});

test('throws text', () => {
  throw 'text';
});

test.describe('set-up', () => {
  test.beforeEach(() => {
    throw new Error('no warehouse');
  });

  test('errors in set-up', () => {});
});

test.describe('tear-down', () => {
  test.afterEach(() => {
    throw new Error('no warehouse');
  });

  test('errors in tear-down', () => {});

  test('fails, and errors in tear-down', () => {
    throw new Error('body');
  });
});

test.skip('skipped', () => {});

test.fixme('to be mended', () => {});

test('skipped at run time', () => {
  test.skip(true, 'closed');
});

test('fails as expected', () => {
  test.fail();
  expect(1).toBe(2);
});

test('passes unexpectedly', () => {
  test.fail();
});

test('times out', async () => {
  test.setTimeout(300);
  await new Promise(() => {});
});

test('takes its worker down', async () => {
  await test.step('the last step', () => process.exit(3));
});

test.describe('in order', () => {
  test.describe.configure({ mode: 'serial' });

  test('first', () => {
    throw new Error('no');
  });

  test('second', () => {});
});

test.describe('again', () => {
  test.describe.configure({ retries: 2 });

  test('flaky', ({}, testInfo) => {
    expect(testInfo.retry).toBe(1);
  });

  test('never', () => {
    throw new Error('no');
  });
});
