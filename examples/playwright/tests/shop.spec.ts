/** The shop's page and its API. */
import { expect, test } from '@playwright/test';
import { serve } from '../shop';

let shop: Awaited<ReturnType<typeof serve>>;

test.beforeAll(async () => {
  shop = await serve();
});

test.afterAll(() => shop.close());

test('http calls', async ({ request }) => {
  expect((await request.get(`${shop.url}/api/users/42?token=s3cret`)).status()).toBe(200);
  expect((await request.post(`${shop.url}/api/orders`, { data: { item: 'tea' } })).status()).toBe(201);
  expect((await fetch(`${shop.url}/api/orders/ORD-1001`)).status).toBe(404);
});

test('browser commands', async ({ page }) => {
  await page.goto(`${shop.url}/`);
  await page.getByLabel('Password').fill('s3cret');
  await page.getByRole('button', { name: 'Buy' }).click();
  await expect(page.locator('output')).toHaveText('in the cart');
});
