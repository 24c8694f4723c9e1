/**
 * The clock and ids, captured before a test can fake `Date`, `performance` or `crypto`.
 */
import { randomBytes as realRandomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';

const randomBytes = realRandomBytes;
const now = performance.now.bind(performance);
const ORIGIN_MS = performance.timeOrigin;

/**
 * Microseconds since 1970 UTC: the wall clock when the process began, plus monotonic time since.
 * A step of the system's clock does not move it.
 */
export function nowUs() {
  return Math.round((ORIGIN_MS + now()) * 1000);
}

/** Return a UUID of version 7 (RFC 9562): random, and in order of time to the millisecond. */
export function newUuid() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Math.floor(nowUs() / 1000), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return hyphened(bytes.toString('hex'));
}

/** Return 32 hex digits in the written form of a UUID. @param {string} digits */
export function hyphened(digits) {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
