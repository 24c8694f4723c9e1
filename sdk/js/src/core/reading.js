/** What a reader reads of a segment, and what it leaves beside it (`spec/segment.md`). */
import * as nodeFs from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './files.js';
import { DROPPED_OFFSET, DROPPED_WIDTH } from './origin.js';

const fs = { ...nodeFs };

// Most bytes sent at a time.
const BATCH_BYTES = 4 * 2 ** 20;

/** @typedef {{offset: number, events: number, closed: boolean}} Standing of one segment in the database */

/** Return whole lines from an offset on, without their ends; null when the file is gone. @param {string} path @param {number} offset @param {number} most */
export function readLines(path, offset, most) {
  if (!fs.existsSync(path)) return null;
  const fd = fs.openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(Math.min(BATCH_BYTES, Math.max(fs.fstatSync(fd).size - offset, 0)));
    const data = buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, offset));
    const lines = [];
    for (let at = 0, end; lines.length < most && (end = data.indexOf(10, at)) >= 0; at = end + 1) {
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

/** Replace a segment's `.ack` file: a hint for people. @param {string} path @param {Standing} standing @param {number} setAside */
export function writeAck(path, { offset, events, closed }, setAside) {
  const ack = path.replace(/jsonl$/, 'ack');
  try {
    const dropped = droppedIn(path) + setAside;
    fs.writeFileSync(`${ack}.${process.pid}.tmp`, JSON.stringify({ offset, events, dropped, closed }), { mode: 0o600 });
    fs.renameSync(`${ack}.${process.pid}.tmp`, ack);
  } catch {
    // a folder that is gone, or a full disk
  }
}

/** The lines of one segment that the database refused: `rejected/<segment_id>.jsonl` in the spool. */
export class SetAside {
  /** @type {Set<number>} */
  #offsets = new Set();
  #path;

  /** @param {string} spool @param {string} segmentId */
  constructor(spool, segmentId) {
    this.#path = `${spool}/rejected/${segmentId}.jsonl`;
    if (!fs.existsSync(this.#path)) return;
    for (const line of fs.readFileSync(this.#path, 'utf8').split('\n')) {
      try {
        this.#offsets.add(JSON.parse(line).offset);
      } catch {
        // torn, or the end
      }
    }
  }

  /** Keep a line with the reason; once only, however often it is refused. @param {number} offset @param {string} line @param {string} reason */
  add(offset, line, reason) {
    if (this.#offsets.has(offset)) return;
    makeFolder(dirname(this.#path));
    fs.appendFileSync(this.#path, `${JSON.stringify({ reason, offset, line })}\n`, { mode: 0o600 });
    this.#offsets.add(offset);
  }

  /** How many lines that begin before `offset` were set aside. @param {number} offset */
  countBefore(offset) {
    return [...this.#offsets].filter((at) => at < offset).length;
  }
}
