/** What is tested here: the shop's page and its API, served on this machine while the tests run. */
const { createServer } = require('node:http');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const page = readFileSync(join(__dirname, 'shop.html'));

function answer(request, response) {
  const path = request.url.split('?')[0];
  if (path === '/') return response.setHeader('Content-Type', 'text/html').end(page);
  request.resume();
  if (request.method === 'POST' && path === '/api/orders') return response.writeHead(201).end();
  return response.writeHead(path.startsWith('/api/users/') ? 200 : 404).end();
}

/** Serve until the process ends; returns the address. */
exports.serve = function serve() {
  const server = createServer(answer).unref();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
};
