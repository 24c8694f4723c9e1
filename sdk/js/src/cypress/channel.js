/**
 * The way from the browser: a WebSocket on the loopback device, of which we only read.
 *
 * `cy.intercept` sees every fetch, and `cy.task` adds commands to the user's test; a WebSocket does neither (RFC 6455).
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { caught } from '../core/guard.js';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CONTINUED = 0;
const TEXT = 1;
const CLOSE = 8;
const SETTLE_MS = 2000;

/** Listens on a port of 127.0.0.1, does not keep the process alive. */
export class Channel {
  /** @type {Set<import('node:stream').Duplex>} */
  #sockets = new Set();
  /** @type {Set<() => void>} */
  #waiting = new Set();
  #hear;
  #server = createServer((_request, response) => response.writeHead(404).end());
  #path = `/${randomUUID()}`;
  #heard = false;

  /** @param {(message: any) => void} hear */
  constructor(hear) {
    this.#hear = hear;
  }

  /**
   * @param {(message: any) => void} hear is called with each message, in their order
   * @returns {Promise<Channel>}
   */
  static async open(hear) {
    const channel = new Channel(hear);
    const server = channel.#server;
    server.on('upgrade', (request, socket) => channel.#greet(request, socket));
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(null));
    });
    server.unref();
    return channel;
  }

  get url() {
    const address = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    return `ws://127.0.0.1:${address.port}${this.#path}`;
  }

  /**
   * Wait until `done`, or until nobody is there any more who could say more; at most 2 s.
   * @param {() => boolean} done
   */
  async settle(done) {
    const until = performance.now() + SETTLE_MS;
    while (this.#heard && this.#sockets.size > 0 && !done() && performance.now() < until) await this.#next(until);
    this.#heard = false;
  }

  close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** @param {number} until */
  #next(until) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(null);
      };
      const timer = setTimeout(wake, until - performance.now());
      this.#waiting.add(wake);
    });
  }

  #wake() {
    for (const wake of [...this.#waiting]) wake();
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:stream').Duplex} socket */
  #greet(request, socket) {
    socket.on('error', () => socket.destroy());
    if (request.url !== this.#path) return socket.destroy();
    const key = `${request.headers['sec-websocket-key']}${GUID}`;
    const accept = createHash('sha1').update(key).digest('base64');
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    /** @type {import('node:net').Socket} */ (socket).unref();
    this.#sockets.add(socket);
    const frames = new Frames((text) => this.#take(text), () => socket.end());
    socket.on('data', (data) => frames.add(data));
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#wake();
    });
    return undefined;
  }

  /** @param {string} text */
  #take(text) {
    this.#heard = true;
    try {
      this.#hear(JSON.parse(text));
    } catch (error) {
      caught(error, 'hear');
    }
    this.#wake();
  }
}

/** Puts the frames of one connection together to messages. */
class Frames {
  /** @type {Buffer} */
  #bytes = Buffer.alloc(0);
  /** @type {Buffer[]} */
  #parts = [];

  /** @param {(text: string) => void} onText @param {() => void} onClose */
  constructor(onText, onClose) {
    this.onText = onText;
    this.onClose = onClose;
  }

  /** @param {Buffer} data */
  add(data) {
    this.#bytes = this.#bytes.length ? Buffer.concat([this.#bytes, data]) : data;
    for (let size; (size = this.#frame(this.#bytes)) > 0; ) this.#bytes = this.#bytes.subarray(size);
  }

  /** Take a frame from the front; its size, 0 while it is not whole. @param {Buffer} bytes */
  #frame(bytes) {
    if (bytes.length < 2) return 0;
    const short = bytes[1] & 0x7f;
    const head = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length < head + 4) return 0;
    const size = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
    if (bytes.length < head + 4 + size) return 0;
    const mask = bytes.subarray(head, head + 4);
    const content = Buffer.from(bytes.subarray(head + 4, head + 4 + size));
    for (let index = 0; index < size; index += 1) content[index] ^= mask[index & 3];
    this.#take(bytes[0] & 0x0f, (bytes[0] & 0x80) > 0, content);
    return head + 4 + size;
  }

  /** @param {number} kind @param {boolean} isLast @param {Buffer} content */
  #take(kind, isLast, content) {
    if (kind === CLOSE) this.onClose();
    if (kind !== TEXT && kind !== CONTINUED) return;
    this.#parts.push(content);
    if (!isLast) return;
    const text = Buffer.concat(this.#parts).toString();
    this.#parts = [];
    this.onText(text);
  }
}
