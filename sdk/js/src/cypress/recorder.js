/** What the browser and Cypress tell of a run, as events. */
import { caught } from '../core/guard.js';
import { endpoint, nowUs, testId } from '../core/index.js';
import { withoutSecrets } from './message.js';

const SEPARATOR = ' › ';
const DEFAULT_BROWSER = 'electron'; // of `cypress run`
/** @type {Record<string, string>} */
const STATUSES = { passed: 'passed', failed: 'failed', pending: 'skipped', skipped: 'skipped' };
const EXPECTATIONS = new Set(['should', 'and']);
// Commands that look at the page or act on it: they are driver commands besides.
const BROWSER = new Set(
  `blur check children clear clearCookie clearCookies clearLocalStorage click closest contains dblclick document filter find first focus focused
  get getCookie getCookies go hash last location next nextAll nextUntil not parent parents parentsUntil prev prevAll prevUntil reload rightclick root
  screenshot scrollIntoView scrollTo select selectFile setCookie shadow siblings submit title trigger type uncheck url viewport visit window`.split(/\s+/),
);

/** One attempt of a test of the spec that runs. */
class Attempt {
  ended = false;
  ran = false; // or was skipped
  // What of it is recorded: Cypress begins a test anew in a new window when it visits another site.
  /** @type {Set<number>} */
  steps = new Set();
  calls = 0;
  callsSeen = 0;

  /** @param {number} startedAt */
  constructor(startedAt) {
    this.startedAt = startedAt;
  }
}

/** Records the tests of one spec after the other. */
export class Recorder {
  #spec = '';
  #suffix = '';
  /** @type {Map<string, Attempt>} */
  #attempts = new Map();
  #names = new Names();

  /** @param {import('../core/collector.js').Collector} collector */
  constructor(collector) {
    this.collector = collector;
  }

  /** @param {string} [browser] */
  runBegins(browser) {
    if (browser && browser !== DEFAULT_BROWSER) this.#suffix = ` [${browser}]`;
  }

  /** Cypress says so again when the spec goes on in a new window. @param {string} relative the spec's path in the project */
  specBegins(relative) {
    if (this.#spec === relative) return;
    this.#spec = relative;
    this.#attempts.clear();
    this.#names = new Names();
  }

  /** A message of the browser's. @param {any} message */
  hear(message) {
    if (message.kind === 'fault') return caught(new Error(message.error), message.where);
    if (!this.#spec) return undefined; // it comes too late
    const test = this.#test(message);
    if (message.kind === 'start') return this.#start(test, message);
    if (message.kind === 'end') return this.#end(test, message);
    const attempt = this.#attempts.get(test.key);
    if (!attempt || attempt.ended) return undefined;
    return message.kind === 'step' ? this.#step(test, attempt, message) : this.#call(test, attempt, message);
  }

  /** Whether the browser has told of every attempt. @param {any} results of the spec */
  hasAll(results) {
    const ran = (results?.tests ?? []).flatMap((/** @type {any} */ test) => (test.attempts ?? []).filter(hasRun));
    return [...this.#attempts.values()].filter((attempt) => attempt.ran).length >= ran.length;
  }

  /** Record what only Cypress knows: tests that never began, and all of them when the browser is gone. @param {any} results */
  specEnds(results) {
    const names = new Names();
    const endedAt = Date.parse(results?.stats?.endedAt) * 1000 || nowUs();
    (results?.tests ?? []).forEach((/** @type {any} */ test, /** @type {number} */ index) => {
      const name = names.of(String(index), this.#nameOf(test.title));
      const states = test.attempts?.length ? test.attempts : [{ state: test.state }];
      const ran = states.filter(hasRun).length;
      states.forEach((/** @type {{state: string}} */ { state }, /** @type {number} */ number) => {
        const key = `${name} ${number + 1}`;
        const begun = this.#attempts.get(key);
        if (begun?.ended) return;
        const fields = this.#fields(name, number + 1, test.title);
        // Cypress has the sum of all attempts alone, and nothing of the one at which the browser crashed.
        const duration = Math.round(((test.duration ?? 0) * 1000) / ran) || endedAt - (begun?.startedAt ?? endedAt);
        const error = state === 'failed' ? errorOf(test.displayError ?? results.error) : {};
        const times = { at_us: endedAt, duration_us: hasRun({ state }) ? Math.max(duration, 1) : 0 };
        this.collector.record({ type: 'test_end', ...fields, ...times, status: STATUSES[state] ?? 'error', ...error });
      });
    });
    if (results?.error && !results.tests?.length) this.#specBroke(results.error, endedAt);
    this.#spec = '';
  }

  /** A spec that does not compile is a row of its own. @param {string} text @param {number} endedAt */
  #specBroke(text, endedAt) {
    const fields = this.#fields(this.#nameOf([]), 1, [this.#spec]);
    const cause = /^The error was:\s+([^]*?)\n\nThis occurred /m.exec(text)?.[1] ?? text;
    this.collector.record({ type: 'test_end', ...fields, at_us: endedAt, duration_us: 1, status: 'error', ...errorOf(cause) });
  }

  /** Empty titles are left out, as in Cypress's own results. @param {string[]} titles */
  #nameOf(titles) {
    const path = [this.#spec, ...titles.filter(Boolean)].join(SEPARATOR);
    return testId(path + this.#suffix, this.collector.settings.projectRoot);
  }

  /** @param {any} message */
  #test({ id, retry, titles }) {
    const name = titles ? this.#names.of(id, this.#nameOf(titles)) : this.#names.known(id);
    return { key: `${name} ${retry + 1}`, fields: this.#fields(name, retry + 1, titles) };
  }

  /** @param {string | undefined} name @param {number} attempt @param {string[]} [titles] */
  #fields(name, attempt, titles) {
    const place = titles && { suite: titles.slice(0, -1).join(SEPARATOR) || this.#spec, file: this.#spec };
    return { test_id: name, attempt, ...place };
  }

  /** @param {any} test @param {any} message */
  #start({ key, fields }, { at }) {
    const begun = this.#attempts.get(key);
    if (begun) begun.callsSeen = 0;
    if (begun) return;
    this.#attempts.set(key, new Attempt(at));
    this.collector.record({ type: 'test_start', at_us: at, ...fields });
  }

  /** @param {any} test @param {any} message */
  #end({ key, fields }, { at, state, inHook, setup, teardown, error }) {
    const attempt = this.#attempts.get(key) ?? new Attempt(at);
    if (attempt.ended) return;
    const ran = hasRun({ state });
    Object.assign(attempt, { ended: true, ran });
    this.#attempts.set(key, attempt);
    const duration = ran ? Math.max(at - attempt.startedAt, 1) : 0;
    const setupUs = setup === null ? null : Math.min(setup, duration);
    this.collector.record({
      type: 'test_end',
      at_us: ran ? at : attempt.startedAt,
      ...fields,
      status: inHook ? 'error' : (STATUSES[state] ?? 'error'),
      duration_us: duration,
      setup_us: ran ? setupUs : null,
      teardown_us: ran && teardown !== null ? Math.min(teardown, duration - (setupUs ?? 0)) : null,
      error_type: error?.name,
      error_message: error?.message,
    });
  }

  /** @param {any} test @param {Attempt} attempt @param {any} step */
  #step({ fields }, attempt, { name, phase, index, depth, at, duration, retries, error }) {
    if (attempt.steps.has(index)) return;
    attempt.steps.add(index);
    const kind = phase ?? (EXPECTATIONS.has(name) ? 'expect' : 'command');
    const times = { at_us: at, duration_us: duration };
    const status = error ? 'failed' : 'passed';
    this.collector.record({ type: 'step_end', ...fields, ...times, step_name: name, status, event_type: kind, step_index: index, depth });
    if (BROWSER.has(name)) {
      this.collector.record({ type: 'driver_command', ...fields, ...times, command: name, retry_count: retries, error });
    }
  }

  /** @param {any} test @param {Attempt} attempt @param {any} call */
  #call({ fields }, attempt, { at, duration, method, url, status, error }) {
    attempt.callsSeen += 1;
    if (attempt.callsSeen <= attempt.calls) return;
    attempt.calls = attempt.callsSeen;
    const what = { endpoint: endpoint(url), method, status_code: status, error };
    this.collector.record({ type: 'http_call', ...fields, at_us: at, duration_us: duration, ...what });
  }
}

/** Names of tests by Cypress's ids: of tests that are called the same, the second ends in ` [2]`. */
class Names {
  /** @type {Map<string, string>} */
  #byId = new Map();
  /** @type {Map<string, number>} */
  #number = new Map();

  /** @param {string} id @param {string} plain */
  of(id, plain) {
    const known = this.#byId.get(id);
    if (known) return known;
    const number = (this.#number.get(plain) ?? 0) + 1;
    this.#number.set(plain, number);
    const name = number > 1 ? `${plain} [${number}]` : plain;
    this.#byId.set(id, name);
    return name;
  }

  /** @param {string} id */
  known(id) {
    return this.#byId.get(id);
  }
}

/** @param {{state: string}} attempt */
function hasRun({ state }) {
  return state === 'passed' || state === 'failed';
}

/** @param {string | null} [text] what Cypress shows: name, message and stack */
function errorOf(text) {
  const [, name, message] = /^(\w*Error): ([^]*?)(?:\n +at |$)/.exec(text ?? '') ?? [null, null, text];
  return { error_type: name, error_message: message && withoutSecrets(message) };
}
