/** From an event to the line it is in a segment. */
import { cleanText, NAME_LIMIT_BYTES } from './sanitise.js';

const stringify = JSON.stringify;

/**
 * One event, its fields by their names on the wire; `spec/README.md` says which belong to which type. `at_us` is wall
 * time in microseconds since 1970 UTC (0 or left out: now). Durations are microseconds of monotonic time.
 * @typedef {{type: string, at_us?: number, [field: string]: unknown}} ProfilingEvent
 */

// Text that stands in JSON as it is, when it is short too: see sanitise.js.
const PLAIN = /^[^\0-\x1f"\\\ud800-\udfff]*$/;
const PLAIN_LENGTH = Math.floor(NAME_LIMIT_BYTES / 3);

/**
 * Return the event as a line, line end included. Numbers that are not finite become null.
 * @param {ProfilingEvent} event
 * @param {number} [atUs]
 * @returns {Buffer}
 * @throws {TypeError} a value that cannot be made text
 */
export function encodeLine(event, atUs = event.at_us ?? 0) {
  // Spelled out, not a loop over names: a property that is asked for by its own name costs a tenth.
  return Buffer.from(
    `{"type":${quoted(event.type, 'type')},"at_us":${Math.round(atUs)}` +
      text('test_id', event.test_id) +
      integer('attempt', event.attempt, 1) +
      text('status', event.status) +
      integer('duration_us', event.duration_us) +
      integer('setup_us', event.setup_us) +
      integer('teardown_us', event.teardown_us) +
      text('suite', event.suite) +
      text('file', event.file) +
      text('error_type', event.error_type) +
      text('error_message', event.error_message) +
      text('framework', event.framework) +
      text('worker', event.worker) +
      text('step_name', event.step_name) +
      text('event_type', event.event_type) +
      integer('step_index', event.step_index) +
      integer('depth', event.depth, 0) +
      text('endpoint', event.endpoint) +
      text('method', event.method) +
      integer('status_code', event.status_code) +
      text('command', event.command) +
      text('target', event.target) +
      integer('retry_count', event.retry_count, 0) +
      text('error', event.error) +
      number('cpu_percent', event.cpu_percent) +
      number('memory_mb', event.memory_mb) +
      '}\n',
  );
}

/** @param {string} field @param {unknown} value */
function text(field, value) {
  return value === undefined || value === null ? '' : `,"${field}":${quoted(String(value), field)}`;
}

/** @param {string} value @param {string} field */
function quoted(value, field) {
  return value.length <= PLAIN_LENGTH && PLAIN.test(value) ? `"${value}"` : stringify(cleanText(value, field));
}

/** @param {string} field @param {unknown} value @param {number} [fallback] stands for itself when the field is left out */
function integer(field, value, fallback) {
  return value === undefined || value === null || value === fallback ? '' : number(field, Math.round(Number(value)));
}

/** @param {string} field @param {unknown} value */
function number(field, value) {
  return value === undefined || value === null ? '' : `,"${field}":${stringify(Number(value))}`;
}
