import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';

test.use({ launchOptions: { executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] } });

test('page', async ({ page }) => {
  await page.goto('data:text/html,<input><button>Go</button>?token=s3cret');
  await page.fill('input', 's3cret');
  await page.locator('input').pressSequentially('s3cret');
  await page.getByRole('button', { name: 'Go' }).click();
  await test.step('outer', async () => {
    await test.step('inner', async () => {
      await expect(page.locator('input')).toHaveValue(/s3cret/);
    });
  });
});

test('no element', async ({ page }) => {
  await page.fill('#s3cret', 's3cret', { timeout: 200 });
});

test('calls', async ({ request }) => {
  const server = createServer((asked, answer) => {
    answer.statusCode = asked.method === 'POST' ? 201 : 200;
    answer.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await request.get(`${url}/users/42?token=s3cret`);
  await request.post(`${url}/orders`, { data: { password: 's3cret' } });
  await fetch(`${url}/orders/7?token=s3cret`);
  await request.get('http://127.0.0.1:1/away').catch(() => {});
  server.close();
});
