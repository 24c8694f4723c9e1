/** From an event to the line it is in a segment. */
import { cleanText } from './sanitise.js';

const stringify = JSON.stringify;

/**
 * One event, its fields by their names on the wire; `spec/README.md` says which belong to which type. `at_us` is wall
 * time in microseconds since 1970 UTC (0 or left out: now). Durations are microseconds of monotonic time.
 * @typedef {{type: string, at_us?: number, [field: string]: unknown}} ProfilingEvent
 */

// In the order of the lines; with the value that stands for itself when the field is left out.
/** @type {[string, 'text' | 'integer' | 'number', unknown?][]} */
const FIELDS = [
  ['test_id', 'text'],
  ['attempt', 'integer', 1],
  ['status', 'text'],
  ['duration_us', 'integer'],
  ['setup_us', 'integer'],
  ['teardown_us', 'integer'],
  ['suite', 'text'],
  ['file', 'text'],
  ['error_type', 'text'],
  ['error_message', 'text'],
  ['framework', 'text'],
  ['worker', 'text'],
  ['step_name', 'text'],
  ['event_type', 'text'],
  ['step_index', 'integer'],
  ['depth', 'integer', 0],
  ['endpoint', 'text'],
  ['method', 'text'],
  ['status_code', 'integer'],
  ['command', 'text'],
  ['target', 'text'],
  ['retry_count', 'integer', 0],
  ['error', 'text'],
  ['cpu_percent', 'number'],
  ['memory_mb', 'number'],
];

/**
 * Return the event as a line, line end included. Numbers that are not finite become null.
 * @param {ProfilingEvent} event
 * @returns {Buffer}
 * @throws {TypeError} a value that cannot be made text
 */
export function encodeLine(event) {
  let line = `{"type":${stringify(cleanText(event.type))},"at_us":${Math.round(event.at_us ?? 0)}`;
  for (const [field, kind, fallback] of FIELDS) {
    const value = event[field];
    if (value === undefined || value === null || value === fallback) continue;
    line += `,"${field}":${kind === 'text' ? stringify(cleanText(String(value), field)) : numeral(value, kind)}`;
  }
  return Buffer.from(`${line}}\n`);
}

/** @param {unknown} value @param {'integer' | 'number'} kind */
function numeral(value, kind) {
  const number = Number(value);
  return stringify(kind === 'integer' ? Math.round(number) : number);
}
