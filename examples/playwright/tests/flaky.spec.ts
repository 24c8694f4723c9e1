/** Fails, then passes. */
import { expect, test } from '@playwright/test';

test.describe.configure({ retries: 2 });

test('flaky', ({}, testInfo) => {
  expect(testInfo.retry, 'the recommendations have not loaded yet').toBeGreaterThan(0);
});
