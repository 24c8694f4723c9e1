/** Where the time inside a test goes. */
import { expect, test } from '@playwright/test';
import { Cart } from '../shop';

test('nested steps', async () => {
  const cart = new Cart();
  await test.step('fill the cart', async () => {
    for (const item of ['tea', 'coffee']) await test.step(`add ${item}`, () => cart.add(item));
  });
  await test.step('check', () => expect(cart.count()).toBe(2));
});
