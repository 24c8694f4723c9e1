/** What happens to an error of ours inside a test process: it is counted, remembered and never seen. */

const STRICT = process.env.CROSSBRIDGE_STRICT === '1'; // for our own tests: an error of ours fails the run
const write = process.stderr.write.bind(process.stderr);

/** How many errors of ours were caught in this process, and the first of them. @type {{number: number, first: string | null}} */
export const faults = { number: 0, first: null };

/**
 * Swallow an error of ours.
 * @param {unknown} error
 * @param {string} where
 */
export function caught(error, where) {
  if (STRICT) throw error;
  faults.number += 1;
  faults.first ??= `${where}: ${error}`.slice(0, 300);
}

/**
 * Do something of ours, and swallow its error.
 * @template T @param {string} where @param {() => T} action @returns {T | null} null where it failed
 */
export function guarded(where, action) {
  try {
    return action();
  } catch (error) {
    caught(error, where);
    return null;
  }
}

/** Write a line for people to stderr. @param {string} line */
export function say(line) {
  try {
    write(`${line}\n`);
  } catch {
    // closed
  }
}
