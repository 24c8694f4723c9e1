/** What is tested here: a cart, and a page and an API served on this machine while the tests run. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export class Cart {
  private items = new Map<string, number>();

  add(item: string, number = 1) {
    this.items.set(item, (this.items.get(item) ?? 0) + number);
  }

  count() {
    return [...this.items.values()].reduce((sum, number) => sum + number, 0);
  }
}

export class ConnectionError extends Error {
  name = 'ConnectionError';
}

export function connect(server: string): never {
  throw new ConnectionError(`${server} does not answer`);
}

const PAGE = `<!doctype html><title>Shop</title>
<label>Password <input type="password"></label>
<button onclick="document.querySelector('output').value = 'in the cart'">Buy</button>
<output></output>`;

/** Serve the shop; its address, and what ends it. */
export async function serve(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const page = request.url === '/';
    if (page) response.setHeader('Content-Type', 'text/html');
    response.statusCode = page || request.url?.startsWith('/api/users/') ? 200 : request.method === 'POST' ? 201 : 404;
    response.end(page ? PAGE : '');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close().closeAllConnections() };
}
