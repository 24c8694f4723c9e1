/** Takes its time. */
import { setTimeout } from 'node:timers/promises';
import { test } from '@playwright/test';

test('slow', async () => {
  await setTimeout(2000);
});
