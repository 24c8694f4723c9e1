/**
 * Writing a segment: one file a process, one line an event (`spec/segment.md`).
 *
 * A line that `append` has taken survives the death of the process (not that of the machine: nothing is forced to disk).
 */
import { constants } from 'node:fs';
import * as nodeFs from 'node:fs';
import { dirname } from 'node:path';
import { newUuid, nowUs } from './clock.js';
import { keepOutOfGit, makeFolder } from './files.js';
import { DROPPED_OFFSET, droppedText, firstLine } from './origin.js';

// Captured before a test can mock them.
const fs = { ...nodeFs };

export const ROTATE_BYTES = 64 * 2 ** 20;
// How much a process may write before it looks again at what the whole spool holds: a sixteenth of what is left of it
// (several processes write at once), within these bounds.
const ALLOWANCE_MIN_BYTES = 64 * 2 ** 10;
const ALLOWANCE_MAX_BYTES = 16 * 2 ** 20;
// How long a full spool or disk is believed to stay full before the next look.
const FULL_LOOK_US = 1_000_000;
const COPY_BYTES = 2 ** 20;

const NEW_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;
const OLD_FILE = constants.O_RDWR | constants.O_APPEND;
const NOTHING = Buffer.alloc(0);

/**
 * The segments of one process, one after the other, and the counts of what was recorded into them.
 *
 * What cannot be written is dropped and counted; no error of the operating system gets out. Closed, it drops everything.
 */
export class SegmentWriter {
  /** @type {string[]} */
  segmentIds = [];
  writer = newUuid();
  collected = 0;
  dropped = 0;
  closed = false;

  #fd = -1;
  #path = '';
  /** Device and inode of the file behind the descriptor. */
  #file = { dev: -1, ino: -1 };
  #rest = NOTHING; // what is missing of a line that has begun
  #room = 0;
  #fullUntilUs = 0;
  #before = { collected: 0, dropped: 0 }; // of the segments that have ended

  /**
   * @param {string} spool
   * @param {number} spoolMaxBytes
   * @param {import('./origin.js').Origin} origin
   * @param {{rotateBytes?: number}} [limits]
   */
  constructor(spool, spoolMaxBytes, origin, { rotateBytes = ROTATE_BYTES } = {}) {
    this.spool = spool;
    this.spoolMaxBytes = spoolMaxBytes;
    this.origin = origin;
    this.rotateBytes = rotateBytes;
    this.#getReady(0);
  }

  /** Append one line, line end included; return false when it was dropped. @param {Buffer} line */
  append(line) {
    this.collected += 1;
    if (!this.closed && this.#getReady(line.length) && this.#write(line)) return true;
    this.#countDropped();
    return false;
  }

  /** Count an event that could not even be encoded. */
  drop() {
    this.collected += 1;
    this.#countDropped();
  }

  /** Write `segment_end` and close. @param {string | null} status */
  close(status) {
    if (this.closed) return;
    if (this.#isInPlace() !== null || this.#putInPlace()) this.#endSegment(this.#fd, status, null);
    this.closed = true;
    this.#fd = -1;
  }

  /** Paths of the segments of this process, in order. */
  get paths() {
    return this.segmentIds.map((id) => this.#pathOf(id));
  }

  /** @param {string} segmentId */
  #pathOf(segmentId) {
    return `${this.spool}/${this.origin.runId}/${segmentId}.jsonl`;
  }

  /** Make sure that there is a file to write to and room for `size` bytes in the spool. @param {number} size */
  #getReady(size) {
    if (this.#fullUntilUs && nowUs() < this.#fullUntilUs) return false;
    this.#fullUntilUs = 0;
    const held = this.#isInPlace() ?? (this.#putInPlace() ? this.#isInPlace() : null);
    if (held === null) return this.#standFull();
    this.#room -= size;
    if (this.#room <= 0) this.#makeRoom(size, held);
    return this.#room > 0 || this.#standFull();
  }

  #standFull() {
    this.#fullUntilUs = nowUs() + FULL_LOOK_US;
    return false;
  }

  /** Begin a new segment when this one is full, and allow as many bytes more as the spool and the segment have. */
  /** @param {number} size @param {number} held */
  #makeRoom(size, held) {
    let segmentLeft = this.rotateBytes - held;
    if (segmentLeft <= size) segmentLeft = this.#openSegment(1) ? this.rotateBytes : ALLOWANCE_MIN_BYTES;
    const spoolLeft = this.spoolMaxBytes - spoolBytes(this.spool);
    const share = Math.min(Math.max(spoolLeft / 16, ALLOWANCE_MIN_BYTES), ALLOWANCE_MAX_BYTES);
    this.#room = Math.min(spoolLeft, share, segmentLeft) - size;
  }

  /**
   * Write what is missing of the line before, and `line`; false when nothing of `line` went in.
   *
   * A line of which a part went in (the disk is full) is not lost: its rest goes in front of the next one.
   * @param {Buffer} line
   */
  #write(line) {
    const data = this.#rest.length ? Buffer.concat([this.#rest, line]) : line;
    const left = data.length - writeAll(this.#fd, data);
    const missingBefore = left - line.length;
    this.#rest = left === 0 ? NOTHING : Buffer.from(data.subarray(data.length - left, missingBefore < 0 ? undefined : this.#rest.length));
    return missingBefore < 0 || this.#standFull();
  }

  #countDropped() {
    this.dropped += 1;
    this.#writeDropped();
  }

  /** Overwrite the count in the header: it costs no new disk block. */
  #writeDropped() {
    if (!this.#path || this.closed) return;
    attempt(() => {
      const fd = fs.openSync(this.#path, 'r+'); // without O_APPEND
      try {
        const text = Buffer.from(droppedText(this.dropped - this.#before.dropped));
        if (this.#isOurs(fs.fstatSync(fd))) fs.writeSync(fd, text, 0, text.length, DROPPED_OFFSET);
      } finally {
        fs.closeSync(fd);
      }
    });
  }

  // The file ----------------------------------------------------------------------------------------------------

  /** @param {nodeFs.Stats} stat */
  #isOurs(stat) {
    return stat.ino === this.#file.ino && stat.dev === this.#file.dev;
  }

  /** Whether the descriptor is still our file: somebody may have closed it, and its number may be another's. */
  #isOpen() {
    return this.#fd >= 0 && (attempt(() => this.#isOurs(fs.fstatSync(this.#fd))) ?? false);
  }

  /** Bytes of the file when the descriptor is ours and the file has not been removed, else null. */
  #isInPlace() {
    if (this.#fd < 0) return null;
    const stat = attempt(() => fs.fstatSync(this.#fd));
    return stat && stat.nlink > 0 && this.#isOurs(stat) ? stat.size : null;
  }

  /** Get at the segment again, or begin a new one when it is gone for good or there is none yet. */
  #putInPlace() {
    if (this.#path && (this.#isOpen() ? this.#restore() : this.#reopen())) {
      this.#writeDropped();
      return true;
    }
    return !this.#isOpen() && this.#openSegment(0);
  }

  #reopen() {
    return attempt(() => this.#adopt(fs.openSync(this.#path, OLD_FILE))) ?? false;
  }

  /** Put back the file that somebody removed: the same name and bytes, so that a reader goes on where it stood. */
  #restore() {
    const draft = this.#path.replace(/jsonl$/, 'tmp');
    const old = this.#fd;
    const fd = attempt(() => {
      makeFolder(dirname(draft));
      return fs.openSync(draft, NEW_FILE, 0o600);
    });
    if (fd === null) return false;
    const restored = attempt(() => {
      copy(old, fd);
      fs.renameSync(draft, this.#path);
      return this.#adopt(fd);
    });
    attempt(() => fs.closeSync(restored ? old : fd));
    if (!restored) attempt(() => fs.unlinkSync(draft));
    return restored ?? false;
  }

  /** @param {number} fd */
  #adopt(fd) {
    const { dev, ino } = fs.fstatSync(fd);
    this.#fd = fd;
    this.#file = { dev, ino };
    return true;
  }

  /** Begin a segment; the one before, if it is open, ends. @param {number} underway events that go into the new one */
  #openSegment(underway) {
    const old = this.#isOpen() ? this.#fd : -1;
    const segmentId = this.segmentIds.length ? newUuid() : this.writer;
    const path = this.#pathOf(segmentId);
    const header = firstLine(this.origin, {
      segmentId,
      writer: this.writer,
      seq: this.segmentIds.length,
      dropped: old < 0 ? this.dropped - this.#before.dropped : 0,
    });
    const fd = attempt(() => {
      makeFolder(dirname(path));
      return fs.openSync(path, NEW_FILE, 0o600);
    });
    if (fd === null) return false;
    if (writeAll(fd, header) < header.length) {
      attempt(() => fs.closeSync(fd));
      attempt(() => fs.unlinkSync(path));
      return false;
    }
    if (old >= 0) this.#endSegment(old, null, segmentId, underway);
    if (!this.segmentIds.length) attempt(() => keepOutOfGit(this.spool));
    this.segmentIds.push(segmentId);
    this.#path = path;
    return this.#adopt(fd);
  }

  /** @param {number} fd @param {string | null} status @param {string | null} next @param {number} [underway] */
  #endSegment(fd, status, next, underway = 0) {
    const end = {
      type: 'segment_end',
      at_us: nowUs(),
      status,
      collected: this.collected - underway - this.#before.collected,
      dropped: this.dropped - this.#before.dropped,
      next,
    };
    this.#before.collected += end.collected;
    this.#before.dropped += end.dropped;
    writeAll(fd, Buffer.concat([this.#rest, Buffer.from(`${JSON.stringify(end)}\n`)]));
    this.#rest = NOTHING;
    attempt(() => fs.closeSync(fd));
  }
}

/** Return what `action` returns, or null when the operating system refuses. @template T @param {() => T} action */
function attempt(action) {
  try {
    return action();
  } catch (error) {
    if (typeof (/** @type {NodeJS.ErrnoException} */ (error).errno) === 'number') return null;
    throw error;
  }
}

/** Write until all is in or nothing goes in any more; return the bytes written. @param {number} fd @param {Buffer} data */
function writeAll(fd, data) {
  let done = 0;
  attempt(() => {
    while (done < data.length) done += fs.writeSync(fd, data, done, data.length - done);
  });
  return done;
}

/** @param {number} from @param {number} to */
function copy(from, to) {
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  let at = 0;
  for (let size; (size = fs.readSync(from, buffer, 0, COPY_BYTES, at)) > 0; at += size) {
    for (let done = 0; done < size; ) done += fs.writeSync(to, buffer, done, size - done);
  }
}

/** Bytes of all segments in the spool. @param {string} spool */
function spoolBytes(spool) {
  let total = 0;
  for (const run of namesIn(spool)) {
    for (const name of namesIn(`${spool}/${run}`)) {
      if (name.endsWith('.jsonl')) total += attempt(() => fs.statSync(`${spool}/${run}/${name}`).size) ?? 0;
    }
  }
  return total;
}

/** @param {string} folder */
function namesIn(folder) {
  return attempt(() => fs.readdirSync(folder)) ?? [];
}
