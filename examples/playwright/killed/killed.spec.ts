/** Waits to be killed. */
import { setTimeout } from 'node:timers/promises';
import { test } from '@playwright/test';

test('before', () => {});

test('killed', async () => {
  test.setTimeout(0);
  await setTimeout(600_000);
});
