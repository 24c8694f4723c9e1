/**
 * Carrying this process's own segments into PostgreSQL, exactly once (`spec/segment.md`, rules for readers).
 *
 * The database says where a segment stands, and takes a batch only there: whoever dies in between, the next reader
 * goes on. What cannot be delivered here (no `pg` in the project, nobody answers, bad data) stays for
 * `crossbridge ingest`. Nothing here keeps the process alive but the bounded wait of `finish`.
 */
import * as nodeFs from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DROPPED_OFFSET, DROPPED_WIDTH } from './origin.js';

const fs = { ...nodeFs };
const setTimer = setTimeout;
const clearTimer = clearTimeout;

const INGEST = 'SELECT crossbridge.ingest($1, $2, $3, $4, $5) AS delivered';
// Most lines and bytes sent at a time.
const BATCH_LINES = 5000;
const BATCH_BYTES = 4 * 2 ** 20;
const CONNECT_TIMEOUT_MS = 5000;
const BACKOFF_MAX_MS = 30_000;
// Refused for what was sent (class 22, 23, 54) or for what is missing (42, 0A, 3F): the same again would be refused too.
const FOR_GOOD = /^(?:22|23|54|42|0A|3F)/;
const BOOKKEEPING = /^\{(?:"dropped":\d+ *,)?"type":"(?:segment_start|segment_end|dropped)"/;

/** @typedef {{offset: number, events: number, closed: boolean}} Standing of one segment in the database */

export class Delivery {
  /** Events the database has confirmed. */
  delivered = 0;
  /** Why nothing is delivered from here any more, or null. @type {string | null} */
  refusal = null;

  /** @type {any} */
  #client = null;
  /** @type {NodeJS.Timeout | null} */
  #timer = null;
  /** @type {Promise<void> | null} */
  #underway = null;
  #failures = 0;
  #lastError = '';
  /** @type {Map<string, Standing>} */
  #standings = new Map();

  /** @param {import('./settings.js').Settings} settings @param {import('./segment.js').SegmentWriter} segment */
  constructor(settings, segment) {
    this.settings = settings;
    this.segment = segment;
  }

  /** Deliver from now on, every CROSSBRIDGE_FLUSH_INTERVAL. */
  begin() {
    const wait = this.#failures
      ? Math.min(BACKOFF_MAX_MS, 250 * 2 ** this.#failures)
      : this.settings.values.CROSSBRIDGE_FLUSH_INTERVAL * 1000;
    this.#timer = setTimer(() => void this.#round().then(() => this.#timer && !this.refusal && this.begin()), wait);
    this.#timer.unref();
  }

  /**
   * Deliver what there is, and end. The segment is closed by now.
   * @param {number} timeoutS longest wait in seconds
   * @returns {Promise<boolean>} whether the database has all of it
   */
  async finish(timeoutS) {
    if (this.#timer) clearTimer(this.#timer);
    this.#timer = null;
    /** @type {NodeJS.Timeout | undefined} */
    let limit;
    const over = new Promise((resolve) => {
      limit = setTimer(resolve, timeoutS * 1000); // holds the process until then, and no longer
    });
    await Promise.race([over, this.#lastRounds()]);
    clearTimer(limit);
    this.#hangUp();
    return this.#isDone();
  }

  async #lastRounds() {
    if (this.#underway) await this.#underway;
    while (!this.#isDone() && !this.refusal) {
      await this.#round();
      if (this.#failures) await new Promise((resolve) => setTimer(resolve, 100).unref());
    }
  }

  #isDone() {
    const ids = this.segment.segmentIds;
    return ids.length > 0 && ids.every((id) => this.#standings.get(id)?.closed);
  }

  /** One round over all segments, in order; never rejects. */
  #round() {
    this.#underway ??= this.#deliver()
      .then(
        () => (this.#failures = 0),
        (error) => this.#failed(error),
      )
      .then(() => {
        this.#underway = null;
      });
    return this.#underway;
  }

  /** @param {any} error */
  #failed(error) {
    this.#failures += 1;
    this.#lastError = String(error?.message ?? error);
    if (FOR_GOOD.test(error?.code ?? '') || error instanceof NoDriver) this.refusal = this.#lastError;
    this.#hangUp();
  }

  #hangUp() {
    const client = this.#client;
    this.#client = null;
    client?.connection?.stream?.destroy();
  }

  async #deliver() {
    for (const [index, id] of this.segment.segmentIds.entries()) {
      const standing = this.#standings.get(id) ?? { offset: 0, events: 0, closed: false };
      this.#standings.set(id, standing);
      while (!standing.closed && (await this.#sendNext(id, this.segment.paths[index], standing)));
    }
  }

  /** Send one batch; false when there is nothing to send. @param {string} id @param {string} path @param {Standing} standing */
  async #sendNext(id, path, standing) {
    const lines = readLines(path, standing.offset);
    if (lines === null) standing.closed = this.segment.closed; // another reader has done it all
    if (!lines?.length) return false;
    const size = lines.reduce((total, line) => total + line.length + 1, 0);
    const to = standing.offset + size;
    const texts = lines.map(String);
    const last = texts[texts.length - 1];
    this.#client ??= await connect(this.settings);
    const events = `[${texts.filter(Boolean).join(',')}]`;
    const answer = await this.#client.query(INGEST, [id, this.segment.origin.runId, standing.offset, to, events]);
    const delivered = Number(answer.rows[0].delivered);
    const taken = delivered === to;
    if (taken) {
      const count = texts.filter((text) => text && !BOOKKEEPING.test(text)).length;
      standing.events += count;
      this.delivered += count;
    }
    standing.offset = delivered;
    if (taken && /^\{"type":"segment_end"/.test(last)) {
      standing.closed = true;
      writeAck(path, standing);
      fs.rmSync(path, { force: true }); // the database has every byte of it
    } else {
      writeAck(path, standing);
    }
    return true;
  }
}

/** `pg` is not installed where the project finds it. */
class NoDriver extends Error {}

/** @param {string} projectRoot @returns {Promise<any>} */
async function driver(projectRoot) {
  for (const base of [process.cwd(), projectRoot]) {
    try {
      const path = createRequire(join(base, 'package.json')).resolve('pg');
      const module = await import(pathToFileURL(path).href);
      return module.default ?? module;
    } catch {
      // not there
    }
  }
  throw new NoDriver("'pg' is not installed: events stay in the spool for 'crossbridge ingest'");
}

/** @param {import('./settings.js').Settings} settings */
async function connect({ values, projectRoot }) {
  const pg = await driver(projectRoot);
  const options = {
    host: values.CROSSBRIDGE_DB_HOST ?? undefined,
    port: values.CROSSBRIDGE_DB_HOST ? values.CROSSBRIDGE_DB_PORT : undefined,
    database: values.CROSSBRIDGE_DB_NAME ?? undefined,
    user: values.CROSSBRIDGE_DB_USER ?? undefined,
    password: values.CROSSBRIDGE_DB_PASSWORD ?? undefined,
    application_name: 'crossbridge js',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  const ways = sslWays(values.CROSSBRIDGE_DB_SSLMODE, String(options.host ?? '').startsWith('/'));
  for (const [index, ssl] of ways.entries()) {
    const client = new pg.Client({ ...options, ssl });
    client.on('error', () => {}); // the query under way is told too
    try {
      const connected = client.connect();
      client.connection?.stream?.unref?.();
      await connected;
      client.connection?.stream?.unref?.(); // another one with TLS
      return client;
    } catch (error) {
      client.connection?.stream?.destroy();
      if (index === ways.length - 1) throw error;
    }
  }
}

/** What libpq's word for the use of TLS means to `pg`, in the order to try. @param {string} mode @param {boolean} isSocket */
function sslWays(mode, isSocket) {
  if (isSocket || mode === 'disable') return [false];
  const ca = rootCertificate();
  const unchecked = { rejectUnauthorized: false };
  /** @type {Record<string, (false | object)[]>} */
  const ways = {
    allow: [false, unchecked],
    prefer: [unchecked, false],
    require: [ca ? { ca, checkServerIdentity: () => undefined } : unchecked],
    'verify-ca': [{ ca, checkServerIdentity: () => undefined }],
    'verify-full': [{ ca }],
  };
  return ways[mode];
}

function rootCertificate() {
  try {
    return fs.readFileSync(process.env.PGSSLROOTCERT ?? join(homedir(), '.postgresql', 'root.crt'), 'utf8');
  } catch {
    return undefined;
  }
}

/** Return whole lines from an offset on, without their ends; null when the file is gone. @param {string} path @param {number} offset */
function readLines(path, offset) {
  if (!fs.existsSync(path)) return null;
  const fd = fs.openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(Math.min(BATCH_BYTES, Math.max(fs.fstatSync(fd).size - offset, 0)));
    const data = buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, offset));
    const lines = [];
    for (let at = 0, end; lines.length < BATCH_LINES && (end = data.indexOf(10, at)) >= 0; at = end + 1) {
      lines.push(data.subarray(at, end));
    }
    return lines;
  } finally {
    fs.closeSync(fd);
  }
}

/** The count in a segment's header. @param {string} path */
function droppedIn(path) {
  const fd = fs.openSync(path, 'r');
  try {
    const count = Buffer.alloc(DROPPED_WIDTH);
    fs.readSync(fd, count, 0, DROPPED_WIDTH, DROPPED_OFFSET);
    return Number(count.toString());
  } finally {
    fs.closeSync(fd);
  }
}

/** Replace a segment's `.ack` file: a hint for people. @param {string} path @param {Standing} standing */
function writeAck(path, { offset, events, closed }) {
  const ack = path.replace(/jsonl$/, 'ack');
  try {
    const dropped = droppedIn(path);
    fs.writeFileSync(`${ack}.${process.pid}.tmp`, JSON.stringify({ offset, events, dropped, closed }), { mode: 0o600 });
    fs.renameSync(`${ack}.${process.pid}.tmp`, ack);
  } catch {
    // a folder that is gone, or a full disk
  }
}
