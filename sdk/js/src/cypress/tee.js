/** Two handlers where Cypress takes one: of handlers for the same event it calls the last alone. */
import { caught } from '../core/guard.js';

/** @typedef {(...values: any[]) => any} Handler */

/** Hands the user's registrations on to Cypress, and joins ours with them afterwards. */
export class Tee {
  /** @type {Map<string, Handler>} */
  #theirs = new Map();
  #on;

  /** @param {(event: string, handler: any) => void} on Cypress's own */
  constructor(on) {
    this.#on = on;
    /** @param {string} event @param {any} handler */
    this.on = (event, handler) => {
      on(event, handler); // which throws what is wrong with it
      this.#theirs.set(event, handler);
    };
  }

  /**
   * Register ours. The user's handler gets the same values, and its result or error is what Cypress sees. Ours comes
   * first, but at the run's end, where it closes.
   * @param {Record<string, Handler>} ours
   */
  join(ours) {
    for (const [event, handler] of Object.entries(ours)) {
      const their = this.#theirs.get(event);
      this.#on(event, event === 'after:run' ? last(handler, their) : first(handler, their));
    }
  }
}

/** @param {Handler} ours @param {Handler} [theirs] @returns {Handler} */
function first(ours, theirs) {
  return async (...values) => {
    await quietly(ours, values);
    return theirs?.(...values);
  };
}

/** @param {Handler} ours @param {Handler} [theirs] @returns {Handler} */
function last(ours, theirs) {
  return async (...values) => {
    try {
      return await theirs?.(...values);
    } finally {
      await quietly(ours, values);
    }
  };
}

/** @param {Handler} handler @param {any[]} values */
async function quietly(handler, values) {
  try {
    await handler(...values);
  } catch (error) {
    caught(error, handler.name);
  }
}
