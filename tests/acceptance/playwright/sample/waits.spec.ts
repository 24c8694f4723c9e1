import { test } from '@playwright/test';

test('before', () => {});

test('waits', async () => {
  test.setTimeout(0);
  await test.step('begun', () => {});
  await new Promise((done) => setTimeout(done, 600_000));
});

test('after', () => {});
