/** From what Mocha's runner says to events. Times: microseconds of one monotonic clock. */
import { resolve } from 'node:path';
import { nowUs } from '../core/clock.js';
import { testId } from '../core/identity.js';

const BETWEEN = ' › ';

/**
 * One attempt of a test that runs.
 * @typedef {{test: any, id: string, attempt: number, startUs: number, bodyUs: number, bodyEndUs: number, status: string, error: any}} Attempt
 */

/** The test's own name: file and titles. @param {any} test @param {string} projectRoot */
export function idOf(test, projectRoot) {
  return testId([test.file, ...test.titlePath()].filter(Boolean).join(BETWEEN), projectRoot);
}

/** What was thrown, as two columns. @param {any} error */
export function thrown(error) {
  if (error === null || error === undefined) return {};
  // An error from a worker of --parallel has its name in the stack alone.
  const name = error.name ?? /^[A-Za-z_$][\w$]*/.exec(error.stack ?? '')?.[0] ?? typeof error;
  return { error_type: String(name), error_message: String(error.message ?? error) };
}

/** The test that a hook stood before or behind, or null. @param {any} hook */
function testOf(hook) {
  const test = hook.ctx?.currentTest;
  if (!test || typeof test.titlePath === 'function') return test ?? null;
  // From a worker: a title is all there is.
  return { ...test, file: hook.file, titlePath: () => [...hook.titlePath().slice(0, -1), test.title] };
}

/** Of one test, as a worker's events bring copies of it. @param {any} one @param {any} other */
function isSame(one, other) {
  return one === other || (one?.__mocha_id__ !== undefined && one.__mocha_id__ === other?.__mocha_id__);
}

/** Records one run. */
export class RunRecorder {
  /** @type {Attempt | null} */
  #open = null;
  #failed = false;
  /** The test whose row tells of a hook. @type {any} */
  #told = null;
  /** How many tests of a name have begun. @type {Map<string, number>} */
  #begun = new Map();

  /** @param {import('../core/collector.js').Collector} collector @param {any} [runner] none where no file was loaded */
  constructor(collector, runner) {
    this.collector = collector;
    this.runner = runner;
    // The tests of --parallel are told when their file has ended: their time is the one Mocha measured.
    this.isTold = runner?.isParallelMode?.() ?? false;
  }

  /** @param {string} event @param {any[]} args */
  on(event, [subject, error]) {
    if (event === 'test') this.#starts(subject);
    else if (event === 'pass') this.#bodyEnds('passed');
    else if (event === 'retry') this.#bodyEnds('failed', error);
    else if (event === 'fail') this.#fails(subject, error);
    else if (event === 'pending') this.#skips(subject);
    else if (event === 'hook end' && this.#isBefore(subject)) /** @type {Attempt} */ (this.#open).bodyUs = nowUs();
    else if (event === 'suite' || event === 'suite end') this.#end();
    else if (event === 'end') void this.end();
  }

  /** A file that does not load, or whose worker died, is a row of its own. @param {string} path @param {unknown} error */
  breaks(path, error) {
    this.#failed = true;
    const file = this.#placeOf(resolve(path));
    const named = { test_id: file, attempt: 1, suite: file, file };
    this.collector.record({ type: 'test_end', at_us: nowUs(), duration_us: 1, ...named, status: 'error', ...thrown(error) });
  }

  /** With --fail-hook-affected-tests the test that a hook kept from running is told again, as failed. @param {any} test */
  #starts(test) {
    if (!isSame(test, this.#told)) this.#begin(test);
  }

  /** @param {any} test */
  #begin(test) {
    this.#end();
    const now = nowUs();
    const attempt = (test.currentRetry?.() ?? 0) + 1;
    const id = this.#ownId(test, attempt);
    this.#open = { test, id, attempt, startUs: now, bodyUs: now, bodyEndUs: 0, status: 'interrupted', error: null };
    if (!this.isTold) this.collector.record({ type: 'test_start', at_us: now, ...this.#named(this.#open) });
  }

  /** The second test of a name ends in ` [2]`. @param {any} test @param {number} attempt */
  #ownId(test, attempt) {
    const id = idOf(test, this.collector.settings.projectRoot);
    const number = (this.#begun.get(id) ?? 0) + (attempt === 1 ? 1 : 0);
    this.#begun.set(id, number);
    return number > 1 ? `${id} [${number}]` : id;
  }

  /** @param {string} status @param {any} [error] */
  #bodyEnds(status, error = null) {
    if (this.#open) Object.assign(this.#open, { status, error, bodyEndUs: nowUs() });
  }

  /** @param {any} subject a test or a hook @param {any} error */
  #fails(subject, error) {
    this.#failed = true;
    if (subject.type === 'hook') this.#hookFails(subject, error);
    else if (this.#isOpen(subject)) this.#bodyFails('failed', error);
    else if (subject.isPending?.()) {
      // --forbid-pending: it fails without having begun.
      this.#begin(subject);
      this.#bodyFails('failed', error);
    } // else: a test that had ended called done() once more, or threw late; its row is written
  }

  /** @param {any} hook @param {any} error */
  #hookFails(hook, error) {
    const test = testOf(hook);
    if (!this.#open && test && isSame(test, this.#told)) return; // the hooks before and behind it broke
    // A hook around a suite broke: the test it kept from running is what there is to see, or else the hook.
    if (!this.#open) this.#begin(test && !/^"after all"/.test(hook.title) ? test : hook);
    this.#bodyFails('error', error);
    this.#told = this.#open?.test;
    this.#end();
  }

  /** @param {string} status @param {any} error */
  #bodyFails(status, error) {
    if (this.#open) Object.assign(this.#open, { status, error, bodyEndUs: this.#open.bodyEndUs || nowUs() });
  }

  /** @param {any} test */
  #isOpen(test) {
    return this.#open && isSame(test, this.#open.test);
  }

  /** @param {any} test */
  #skips(test) {
    if (!this.#isOpen(test)) this.#begin(test);
    this.#bodyEnds('skipped');
  }

  /** @param {any} hook */
  #isBefore(hook) {
    return this.#open && !this.#open.bodyEndUs && /^"before each"/.test(hook.title);
  }

  /** The attempt is over, its hooks included. */
  #end() {
    const open = this.#open;
    if (!open) return;
    this.#open = null;
    const now = nowUs();
    const bodyEndUs = open.bodyEndUs || now;
    const spans = this.isTold
      ? { duration_us: Math.round((open.test.duration ?? 0) * 1000) }
      : { duration_us: now - open.startUs, setup_us: open.bodyUs - open.startUs, teardown_us: now - bodyEndUs };
    this.collector.record({
      type: 'test_end',
      at_us: now,
      ...this.#named(open),
      status: open.status,
      ...spans,
      ...thrown(open.error),
    });
  }

  /** The run is over. Never rejects; a second call does nothing. */
  end() {
    this.#end();
    const aborted = this.runner?._abort; // by SIGINT; Mocha has no other word for it
    return this.collector.shutdown(aborted ? 'interrupted' : this.#failed ? 'failed' : 'passed');
  }

  /** @param {Attempt} open */
  #named({ test, id, attempt }) {
    return {
      test_id: id,
      attempt,
      suite: test.titlePath().slice(0, -1).join(BETWEEN) || undefined,
      file: test.file ? this.#placeOf(test.file) : undefined,
    };
  }

  /** @param {string} path */
  #placeOf(path) {
    const { projectRoot } = this.collector.settings;
    return testId(path, projectRoot).replace(`${projectRoot}/`, '');
  }
}
