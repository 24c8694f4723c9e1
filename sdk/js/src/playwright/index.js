/**
 * Playwright's reporter: its tests, attempts, steps and calls as events.
 *
 * It lives in the process of Playwright's command line and prints nothing there but one line on stderr at the end.
 */
import { relative, sep } from 'node:path';
import { nowUs } from '../core/clock.js';
import { Collector } from '../core/collector.js';
import { caught, guarded } from '../core/guard.js';
import { testId } from '../core/identity.js';
import { sayWhereEventsAre } from '../core/summary.js';
import { callEvent, callOfStep, Calls } from './calls.js';
import { errorFields, outcome } from './outcome.js';
import { Steps } from './steps.js';

/** @typedef {import('./model.js').TestCase} TestCase */
/** @typedef {import('./model.js').TestResult} TestResult */
/** @typedef {import('./model.js').TestStep} TestStep */
/** @typedef {import('./model.js').TestError} TestError */
/** @typedef {import('./model.js').FullConfig} FullConfig */
/** @typedef {{test_id: string, attempt: number, suite: string, file: string, worker: string | undefined}} Names */
/** @typedef {{test: TestCase, names: Names, beganUs: number, steps: Steps}} Attempt */

// One reporter a run, however often, and from however many copies of this file, it is registered.
const ACTIVE = Symbol.for('crossbridge.playwright.reporter');
// Calls that run no test: the shards whose reports are merged have recorded theirs.
const NO_RUN = ['--list', 'merge-reports'];
const CUT_OFF = { status: 'interrupted', error_message: 'the run ended before the test did' };
/** @type {any} */
const here = globalThis;

export default class CrossbridgeReporter {
  /** @type {Recorder | null} */
  #recorder = null;

  constructor() {
    guarded('constructor', () => {
      if (here[ACTIVE] || NO_RUN.some((argument) => process.argv.includes(argument))) return;
      here[ACTIVE] = true;
      this.#recorder = new Recorder();
    });
  }

  printsToStdio() {
    return false;
  }

  /** @param {import('./model.js').FullConfig} config @param {{allTests: () => TestCase[]}} suite */
  onBegin(config, suite) {
    guarded('onBegin', () => this.#recorder?.begin(config, suite.allTests().length));
  }

  /** What is no test's: a file that does not load, a global set-up or tear-down that fails. @param {TestError} error */
  onError(error) {
    guarded('onError', () => this.#recorder?.breaks(error));
  }

  /** @param {TestCase} test @param {TestResult} result */
  onTestBegin(test, result) {
    guarded('onTestBegin', () => this.#recorder?.startTest(test, result));
  }

  /** @param {TestCase} _test @param {TestResult} result @param {TestStep} step */
  onStepBegin(_test, result, step) {
    guarded('onStepBegin', () => this.#recorder?.startStep(result, step));
  }

  /** @param {TestCase} _test @param {TestResult} result @param {TestStep} step */
  onStepEnd(_test, result, step) {
    guarded('onStepEnd', () => this.#recorder?.endStep(result, step));
  }

  /** @param {TestCase} test @param {TestResult} result */
  onTestEnd(test, result) {
    guarded('onTestEnd', () => this.#recorder?.endTest(test, result));
  }

  /** Wait for delivery, at most CROSSBRIDGE_DRAIN_TIMEOUT. @param {import('./model.js').FullResult} result */
  async onEnd(result) {
    const recorder = this.#recorder;
    this.#recorder = null;
    if (!recorder) return;
    here[ACTIVE] = false;
    try {
      await recorder.end(result.status);
    } catch (error) {
      caught(error, 'onEnd');
    }
  }
}

/** Records one run. */
class Recorder {
  /** @type {Collector | null} */
  #collector = null;
  /** @type {Calls | null} */
  #calls = null;
  /** @type {Map<TestResult, Attempt>} */
  #attempts = new Map();
  /** @type {FullConfig | null} */
  #config = null;
  #hasTests = false;
  /** Files that have a row of their own. @type {Set<string>} */
  #broken = new Set();

  /** @param {FullConfig} config @param {number} tests: where there are none there is no run */
  begin(config, tests) {
    this.#config = config;
    this.#hasTests = tests > 0;
    if (tests) this.#open(config);
  }

  /** @param {FullConfig} config */
  #open({ version }) {
    this.#collector = Collector.start({ framework: 'playwright', frameworkVersion: version });
    if (this.#collector) this.#calls = new Calls();
  }

  /** An error that stands in a file makes a row under its name; one that stands nowhere (no tests found) none. @param {TestError} error */
  breaks(error) {
    const config = this.#config;
    if (!error.location || !config) return;
    if (!this.#collector) this.#open(config);
    if (!this.#collector) return;
    const { projectRoot, values } = this.#collector.settings;
    const path = error.location.file;
    const test_id = testId(slashed(relative(config.rootDir, path)), projectRoot);
    const shard = values.CROSSBRIDGE_RUN_ID && config.shard ? config.shard.current : 1;
    const attempt = this.#hasTests || isOfGlobalHook(error, config) ? shard : 1;
    // Every shard loads every file: of those that join a run, the first tells of a file that does not load.
    if (attempt < shard || this.#broken.has(test_id)) return;
    this.#broken.add(test_id);
    const names = { test_id, attempt, suite: test_id, file: slashed(relative(projectRoot, path)) };
    this.#collector.record({ type: 'test_end', at_us: nowUs(), duration_us: 1, ...names, status: 'error', ...errorFields(error) });
  }

  /** @param {TestCase} test @param {TestResult} result */
  startTest(test, result) {
    if (!this.#collector) return;
    const names = namesOf(test, result, this.#collector.settings.projectRoot);
    const beganUs = nowUs();
    this.#attempts.set(result, { test, names, beganUs, steps: new Steps() });
    this.#collector.record({ type: 'test_start', at_us: beganUs, ...names });
  }

  /** @param {TestResult} result @param {TestStep} step */
  startStep(result, step) {
    this.#attempts.get(result)?.steps.begin(step);
  }

  /** @param {TestResult} result @param {TestStep} step */
  endStep(result, step) {
    const attempt = this.#attempts.get(result);
    const event = attempt?.steps.end(step);
    if (!attempt || !event) return;
    this.#record(attempt, event);
    if (this.#calls?.areNotedBy(result.workerIndex)) return;
    const call = callOfStep(step, event);
    if (call) this.#record(attempt, call);
  }

  /** @param {TestCase} test @param {TestResult} result */
  endTest(test, result) {
    this.#end(result, outcome(test, result));
  }

  /** @param {TestResult} result @param {ReturnType<typeof outcome>} ended */
  #end(result, ended) {
    const attempt = this.#attempts.get(result);
    if (!attempt) return;
    this.#attempts.delete(result);
    const { test, steps, beganUs, names } = attempt;
    for (const event of steps.endAll()) this.#record(attempt, event);
    const endUs = nowUs();
    for (const call of this.#calls?.of(result.workerIndex, test.id, result.retry) ?? []) {
      this.#record(attempt, callEvent(call, beganUs, endUs));
    }
    this.#collector?.record({
      type: 'test_end',
      at_us: endUs,
      duration_us: endUs - beganUs,
      setup_us: steps.setupUs || null,
      teardown_us: steps.teardownUs || null,
      ...names,
      ...ended,
    });
  }

  /** @param {string} status what Playwright says of the run: passed, failed, timedout, interrupted */
  async end(status) {
    const collector = this.#collector;
    if (!collector) return;
    // At the global time-out Playwright does not say that what ran has ended.
    for (const result of this.#attempts.keys()) this.#end(result, CUT_OFF);
    for (const call of this.#calls?.close() ?? []) collector.record(callEvent(call, 0, call.at_us));
    await collector.shutdown(status === 'timedout' ? 'failed' : status);
    sayWhereEventsAre(collector);
  }

  /** @param {Attempt} attempt @param {import('../core/event.js').ProfilingEvent} event */
  #record({ names: { test_id, attempt, worker } }, event) {
    this.#collector?.record({ test_id, attempt, worker, ...event });
  }
}

/**
 * Return the names of an attempt. What `--repeat-each` repeats is tried again: its copies have one test_id, and the
 * numbers of their attempts follow on each other whichever shard they run in.
 * @param {TestCase} test @param {TestResult} result @param {string} projectRoot @returns {Names}
 */
function namesOf(test, result, projectRoot) {
  const [, project, file, ...titles] = test.titlePath();
  const path = [file.replaceAll('\\', '/'), ...titles].join(' › ');
  return {
    test_id: testId(project ? `${path} [${project}]` : path, projectRoot),
    attempt: test.repeatEachIndex * (test.retries + 1) + result.retry + 1,
    suite: testId([file.replaceAll('\\', '/'), ...titles.slice(0, -1)].join(' › '), projectRoot),
    file: slashed(relative(projectRoot, test.location.file)),
    worker: result.parallelIndex < 0 ? undefined : `worker-${result.parallelIndex}`,
  };
}

/**
 * Whether an error is one of the global set-up or tear-down: each shard runs these.
 * @param {TestError} error @param {FullConfig} config
 */
function isOfGlobalHook({ location, stack }, { globalSetup, globalTeardown }) {
  return [globalSetup, globalTeardown].some((hook) => hook && (location?.file === hook || stack?.includes(hook)));
}

/** @param {string} path */
function slashed(path) {
  return path.replaceAll(sep, '/');
}
