const { createServer } = require('node:http');

const page = `<!doctype html><title>Page</title><button id="pay">Pay</button><p id="receipt"></p><script>
document.querySelector('#pay').addEventListener('click', async () => {
  const { status } = await fetch('/api/orders/1001?token=s3cret', { method: 'POST' });
  document.querySelector('#receipt').textContent = status;
});
</script>`;

exports.serve = () => {
  const server = createServer((request, response) => {
    if (request.url.startsWith('/api')) return response.writeHead(request.url.includes('nowhere') ? 404 : 201).end();
    return response.setHeader('Content-Type', 'text/html').end(page);
  }).unref();
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)));
};
