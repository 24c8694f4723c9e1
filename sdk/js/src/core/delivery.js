/**
 * Carrying this process's own segments into PostgreSQL, exactly once (`spec/segment.md`, rules for readers).
 *
 * The database says where a segment stands, and takes a batch only there: whoever dies in between, the next reader
 * goes on. What cannot be delivered here (no `pg` in the project, nobody answers) stays for
 * `crossbridge ingest`. Nothing here keeps the process alive but the bounded wait of `finish`.
 */
import * as nodeFs from 'node:fs';
import { connect, NoDriver } from './connection.js';
import { readLines, SetAside, writeAck } from './reading.js';

const fs = { ...nodeFs };
const setTimer = setTimeout;
const clearTimer = clearTimeout;

const INGEST = 'SELECT crossbridge.ingest($1, $2, $3, $4, $5) AS delivered';
// Most lines sent at a time, when there is a backlog.
const BATCH_LINES = 5000;
// Longest text sent as the reason of a rejected line.
const REASON_MAX_CHARS = 500;
const BACKOFF_MAX_MS = 30_000;
// Refused for what is missing: the same again would be refused too.
const FOR_GOOD = /^(?:42|0A|3F)/;
// Refused for what was sent.
const BAD_DATA = /^(?:22|23|54)/;
const BOOKKEEPING = /^\{(?:"dropped":\d+ *,)?"type":"(?:segment_start|segment_end|dropped)"/;

/** @typedef {import('./reading.js').Standing & {setAside: SetAside}} Segment where it stands, and what was refused of it */
/** @typedef {{id: string, from: number, lines: Buffer[]}} Batch of one segment's lines */

export class Delivery {
  /** Events the database has confirmed. */
  delivered = 0;
  /** Lines the database refused, set aside in the spool. */
  rejected = 0;
  /** Why nothing is delivered from here any more, or null. @type {string | null} */
  refusal = null;

  /** @type {any} */
  #client = null;
  /** @type {NodeJS.Timeout | null} */
  #timer = null;
  /** @type {Promise<void> | null} */
  #underway = null;
  #failures = 0;
  #fresh = 0; // events recorded since the last round began
  #lastError = '';
  /** @type {Map<string, Segment>} */
  #standings = new Map();

  /** @param {import('./settings.js').Settings} settings @param {import('./segment.js').SegmentWriter} segment */
  constructor(settings, segment) {
    this.settings = settings;
    this.segment = segment;
  }

  /** Deliver from now on, every CROSSBRIDGE_FLUSH_INTERVAL or CROSSBRIDGE_BATCH_SIZE events. */
  begin() {
    this.#wait(
      this.#failures
        ? Math.min(BACKOFF_MAX_MS, 250 * 2 ** this.#failures)
        : this.settings.values.CROSSBRIDGE_FLUSH_INTERVAL * 1000,
    );
  }

  /** An event was recorded: as many as a batch are sent as soon as the process has a moment. */
  noteEvent() {
    this.#fresh += 1;
    if (this.#fresh !== this.settings.values.CROSSBRIDGE_BATCH_SIZE) return;
    if (!this.#timer || this.#underway || this.#failures) return;
    clearTimer(this.#timer);
    this.#wait(0);
  }

  /** @param {number} ms */
  #wait(ms) {
    this.#timer = setTimer(() => void this.#round().then(() => this.#timer && !this.refusal && this.begin()), ms);
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
    if (FOR_GOOD.test(error?.code ?? '') || error instanceof NoDriver || error instanceof Refused) this.refusal = this.#lastError;
    this.#hangUp();
  }

  #hangUp() {
    const client = this.#client;
    this.#client = null;
    client?.connection?.stream?.destroy();
  }

  async #deliver() {
    this.#fresh = 0;
    for (const [index, id] of this.segment.segmentIds.entries()) {
      const standing = this.#standings.get(id) ?? this.#first(id);
      this.#standings.set(id, standing);
      while (!standing.closed && (await this.#sendNext(id, this.segment.paths[index], standing)));
    }
  }

  /** @param {string} id @returns {Segment} */
  #first(id) {
    return { offset: 0, events: 0, closed: false, setAside: new SetAside(this.segment.spool, id) };
  }

  /** Send one batch; false when there is nothing to send. @param {string} id @param {string} path @param {Segment} standing */
  async #sendNext(id, path, standing) {
    const lines = readLines(path, standing.offset, Math.min(BATCH_LINES, this.settings.values.CROSSBRIDGE_QUEUE_SIZE));
    if (lines === null) standing.closed = this.segment.closed; // another reader has done it all
    if (!lines?.length) return false;
    const to = standing.offset + sizeOf(lines);
    const last = lines[lines.length - 1].toString();
    await this.#send({ id, from: standing.offset, lines }, standing);
    standing.closed = standing.offset === to && last.startsWith('{"type":"segment_end"');
    writeAck(path, standing, standing.setAside.countBefore(standing.offset));
    if (standing.closed) fs.rmSync(path, { force: true }); // the database has every byte of it
    return true;
  }

  /** Send a batch; a line in it that is bad data is set aside, and its neighbours are stored. @param {Batch} batch @param {Segment} standing */
  async #send(batch, standing) {
    const texts = batch.lines.map(String).filter(Boolean);
    try {
      if (await this.#ingest(batch, `[${texts.join(',')}]`, standing)) {
        const count = texts.filter((text) => !BOOKKEEPING.test(text)).length;
        standing.events += count;
        this.delivered += count;
      }
    } catch (error) {
      if (!isBadData(error)) throw error;
      if (texts.length <= 1) return this.#reject(batch, texts.join(''), reasonOf(error), standing);
      const half = batch.lines.length >> 1;
      const first = { ...batch, lines: batch.lines.slice(0, half) };
      await this.#send(first, standing);
      if (standing.offset !== batch.from + sizeOf(first.lines)) return; // another reader is further on
      await this.#send({ ...batch, from: standing.offset, lines: batch.lines.slice(half) }, standing);
    }
  }

  /** @param {Batch} batch @param {string} line @param {string} reason @param {Segment} standing */
  async #reject(batch, line, reason, standing) {
    if (batch.from === 0) throw new Refused(`the first line cannot be stored: ${reason}`);
    standing.setAside.add(batch.from, line, reason);
    const event = { type: 'rejected', count: 1, reason: reason.slice(0, REASON_MAX_CHARS) };
    if (await this.#ingest(batch, JSON.stringify([event]), standing)) this.rejected += 1;
  }

  /** Return whether the database took it; another reader may have been there before. @param {Batch} batch @param {string} events @param {Segment} standing */
  async #ingest({ id, from, lines }, events, standing) {
    const to = from + sizeOf(lines);
    this.#client ??= await connect(this.settings);
    const answer = await this.#client.query(INGEST, [id, this.segment.origin.runId, from, to, events]);
    standing.offset = Number(answer.rows[0].delivered);
    if (standing.offset === from) throw new Refused(`the database stays at byte ${from}`);
    return standing.offset === to;
  }
}

/** The same would be refused again. */
class Refused extends Error {}

/** @param {any} error */
function isBadData(error) {
  return BAD_DATA.test(error?.code ?? '');
}

/** What the database says of bad data, in a line. @param {any} error */
function reasonOf(error) {
  return [error.message, error.detail].filter(Boolean).join(': ');
}

/** Bytes of lines, their ends included. @param {Buffer[]} lines */
function sizeOf(lines) {
  return lines.reduce((total, line) => total + line.length + 1, 0);
}
