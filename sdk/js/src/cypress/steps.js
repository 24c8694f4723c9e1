/**
 * Cypress's commands as nested steps.
 *
 * A command only puts the commands in its callback into the queue, right behind itself, and ends; they run afterwards.
 * So a step goes on until the last of those is over.
 */

// Cypress's own, which it puts behind `within`.
const HIDDEN = new Set(['within-restore', 'end-logGroup']);

/**
 * @typedef {{name: string, phase: string | null, index: number, depth: number, startedAt: number, endedAt: number,
 *   queued: number, retries: number, error: string | null, ended: boolean}} Frame
 */

export class Steps {
  /** @type {Frame[]} */
  #open = [];
  #index = 0;

  /** @param {() => number} nowUs @param {(step: any) => void} tell is called with each step that is over */
  constructor(nowUs, tell) {
    this.nowUs = nowUs;
    this.tell = tell;
  }

  /** A test begins. */
  reset() {
    this.#open = [];
    this.#index = 0;
  }

  /** A command came into the queue: it belongs to the one that is running. */
  enqueued() {
    const top = this.#open.at(-1);
    if (top && !top.ended) top.queued += 1;
  }

  /** @param {string} name @param {string | null} phase setup, teardown or null: the test's body */
  starts(name, phase) {
    const parent = this.#dequeue();
    const at = this.nowUs();
    const frame = { startedAt: at, endedAt: at, queued: 0, retries: 0, error: null, ended: false };
    const index = HIDDEN.has(name) ? -1 : this.#index++;
    this.#open.push({ name, phase, index, depth: parent ? parent.depth + 1 : 0, ...frame });
  }

  retries() {
    const top = this.#open.at(-1);
    if (top && !top.ended) top.retries += 1;
  }

  /** The running command ends; when it began, null when none did. @param {string | null} error */
  ends(error) {
    const top = this.#open.at(-1);
    if (!top || top.ended) return null;
    this.#end(top, error);
    this.#settle();
    return top.startedAt;
  }

  /** A command goes that another has done: an assertion behind a query. */
  skipped() {
    this.#dequeue();
    this.#settle();
  }

  /** Nothing of the queue runs any more. @param {boolean} failed */
  closeAll(failed) {
    for (const frame of this.#open) {
      if (!frame.ended) this.#end(frame, failed ? 'Error' : null);
      frame.queued = 0;
    }
    this.#settle();
  }

  #dequeue() {
    const parent = this.#open.at(-1);
    if (parent) parent.queued = Math.max(0, parent.queued - 1);
    return parent;
  }

  /** @param {Frame} frame @param {string | null} error */
  #end(frame, error) {
    frame.ended = true;
    frame.endedAt = this.nowUs();
    frame.error = error;
  }

  /** Tell of the steps that are over, innermost first. */
  #settle() {
    for (let top; (top = this.#open.at(-1)) && top.ended && top.queued === 0; ) {
      this.#open.pop();
      const parent = this.#open.at(-1);
      if (parent?.ended) {
        parent.endedAt = Math.max(parent.endedAt, top.endedAt);
        parent.error ??= top.error;
      }
      const { name, phase, index, depth, startedAt, endedAt, retries, error } = top;
      if (index >= 0) this.tell({ name, phase, index, depth, at: endedAt, duration: endedAt - startedAt, retries, error });
    }
  }
}
