/** From Cucumber's messages to events. Durations: microseconds of our monotonic clock; of a worker's tests, Cucumber's. */
import { nowUs } from '../core/clock.js';
import { testId } from '../core/identity.js';
import { scenarioIds, stepKeywords } from './feature.js';

/** @typedef {{name: string, kind: string | undefined}} Step */
/** @typedef {{path: string, suite: string, ids: Map<string, string>, keywords: Map<string, string>}} Feature */
/**
 * One attempt of a scenario.
 * @typedef {object} Attempt
 * @property {{test_id: string, attempt: number, worker?: string}} named
 * @property {{suite: string, file: string}} place
 * @property {Map<string, Step>} steps
 * @property {number} startUs
 * @property {number} firstUs when its first step began
 * @property {number} lastUs when its last step ended
 * @property {number} steps_run
 * @property {{result: any, step: Step} | null} broken
 * @property {boolean} skipped
 */

/** Records one run. */
export class RunRecorder {
  /** @type {Map<string, Feature>} */
  #features = new Map();
  /** @type {Map<string, any>} */
  #pickles = new Map();
  /** @type {Map<string, any>} */
  #cases = new Map();
  /** @type {Map<string, string>} */
  #patterns = new Map();
  /** @type {Map<string, any>} */
  #hooks = new Map();
  /** The hooks around the run that run. @type {Map<string, any>} */
  #around = new Map();
  /** @type {Map<string, Attempt>} */
  #running = new Map();
  /** Files that have a row of their own. @type {Set<string>} */
  #broken = new Set();
  #status = 'interrupted';

  /** @param {import('../core/collector.js').Collector} collector */
  constructor(collector) {
    this.collector = collector;
  }

  /** @param {any} envelope */
  on(envelope) {
    if (envelope.gherkinDocument?.feature) this.#parsed(envelope.gherkinDocument);
    else if (envelope.pickle) this.#pickles.set(envelope.pickle.id, envelope.pickle);
    else if (envelope.stepDefinition) this.#patterns.set(envelope.stepDefinition.id, envelope.stepDefinition.pattern.source);
    else if (envelope.hook) this.#hooks.set(envelope.hook.id, envelope.hook);
    else if (envelope.testCase) this.#cases.set(envelope.testCase.id, envelope.testCase);
    else if (envelope.testCaseStarted) this.#begin(envelope.testCaseStarted);
    else if (envelope.testStepStarted) this.#stepBegins(envelope.testStepStarted);
    else if (envelope.testStepFinished) this.#stepEnds(envelope.testStepFinished);
    else if (envelope.testCaseFinished) this.#end(envelope.testCaseFinished);
    else if (envelope.parseError) this.#cannotParse(envelope.parseError);
    else if (envelope.testRunHookStarted) this.#around.set(envelope.testRunHookStarted.id, envelope.testRunHookStarted);
    else if (envelope.testRunHookFinished) this.#aroundEnds(envelope.testRunHookFinished);
    else if (envelope.testRunFinished) this.#status = envelope.testRunFinished.success ? 'passed' : 'failed';
  }

  /** The run is over. Never rejects. */
  end() {
    return this.collector.shutdown(this.#status);
  }

  /** Cucumber runs nothing then. @param {any} error */
  #cannotParse({ source, message }) {
    this.#breaks(source.uri, { type: 'ParseError', message });
  }

  /** A hook around the run that breaks has Cucumber exit at once: what is to be kept is written by then. @param {any} finished */
  #aroundEnds({ testRunHookStartedId, result }) {
    if (result.status !== 'FAILED') return;
    const hook = this.#hooks.get(this.#around.get(testRunHookStartedId)?.hookId);
    this.#breaks(hook?.sourceReference?.uri, result.exception ?? { message: result.message });
    void this.end();
  }

  /** What is no scenario's makes a row under the name of its file. @param {string | undefined} uri @param {{type?: string, message?: string}} error */
  #breaks(uri, { type = 'Error', message }) {
    this.#status = 'failed';
    if (!uri || this.#broken.has(uri)) return;
    this.#broken.add(uri);
    const file = testId(uri, this.collector.settings.projectRoot);
    const named = { test_id: file, attempt: 1, suite: file, file, error_type: type, error_message: message };
    this.collector.record({ type: 'test_end', at_us: nowUs(), duration_us: 1, ...named, status: 'error' });
  }

  /** @param {any} document */
  #parsed({ uri, feature }) {
    const path = testId(uri, this.collector.settings.projectRoot);
    this.#features.set(uri, {
      path,
      suite: feature.name,
      ids: scenarioIds(path, feature),
      keywords: stepKeywords(feature),
    });
  }

  /** @param {any} started */
  #begin({ id, testCaseId, attempt, workerId }) {
    const testCase = this.#cases.get(testCaseId);
    const pickle = this.#pickles.get(testCase.pickleId);
    const feature = /** @type {Feature} */ (this.#features.get(pickle.uri));
    const nodes = pickle.astNodeIds;
    const name = feature.ids.get(nodes[nodes.length - 1]) ?? `${feature.path}::${pickle.name}`;
    const startUs = nowUs();
    const named = { test_id: name, attempt: attempt + 1, worker: workerId === undefined ? undefined : `worker-${workerId}` };
    const place = { suite: feature.suite, file: feature.path };
    const steps = new Map(testCase.testSteps.map((/** @type {any} */ step) => [step.id, this.#step(step, pickle, feature)]));
    this.#running.set(id, {
      named, place, steps, startUs, firstUs: 0, lastUs: 0, steps_run: 0, broken: null, skipped: false,
    }); // prettier-ignore
    this.collector.record({ type: 'test_start', at_us: startUs, ...named, ...place });
  }

  /** What a step is called: by the pattern that matched it, as its text holds values. */
  /** @param {any} step @param {any} pickle @param {Feature} feature @returns {Step} */
  #step(step, pickle, feature) {
    if (step.hookId) {
      const hook = this.#hooks.get(step.hookId);
      return { name: hookName(hook), kind: 'hook' };
    }
    const { text, astNodeIds } = pickle.steps.find((/** @type {any} */ each) => each.id === step.pickleStepId);
    const pattern = this.#patterns.get(step.stepDefinitionIds?.[0]) ?? text.replace(/"[^"]*"|'[^']*'/g, '"…"');
    return { name: `${feature.keywords.get(astNodeIds[0]) ?? ''} ${pattern}`.trim(), kind: undefined };
  }

  /** @param {any} started */
  #stepBegins({ testCaseStartedId, testStepId }) {
    const attempt = this.#running.get(testCaseStartedId);
    const step = attempt?.steps.get(testStepId);
    if (!attempt || !step) return;
    const now = nowUs();
    if (!step.kind) attempt.firstUs ||= now;
    const { steps_run: step_index } = attempt;
    this.collector.record({ type: 'step_start', at_us: now, ...attempt.named, step_name: step.name, step_index });
  }

  /** @param {any} finished */
  #stepEnds({ testCaseStartedId, testStepId, testStepResult: result }) {
    const attempt = this.#running.get(testCaseStartedId);
    const step = attempt?.steps.get(testStepId);
    if (!attempt || !step) return;
    const now = nowUs();
    if (!step.kind) attempt.lastUs = now;
    if (result.status === 'SKIPPED') attempt.skipped ||= !attempt.broken;
    else if (result.status !== 'PASSED') attempt.broken ??= { result, step };
    const duration_us = Math.round(result.duration.seconds * 1e6 + result.duration.nanos / 1000);
    if (result.status === 'SKIPPED' && duration_us === 0) return; // it did not run
    this.collector.record({
      type: 'step_end', at_us: now, ...attempt.named, step_name: step.name, duration_us,
      status: { PASSED: 'passed', SKIPPED: 'skipped' }[/** @type {'PASSED' | 'SKIPPED'} */ (result.status)] ?? 'failed',
      event_type: step.kind, step_index: attempt.steps_run++,
    }); // prettier-ignore
  }

  /** @param {any} finished */
  #end({ testCaseStartedId }) {
    const attempt = this.#running.get(testCaseStartedId);
    if (!attempt) return;
    this.#running.delete(testCaseStartedId);
    const now = nowUs();
    const { startUs, firstUs, lastUs } = attempt;
    this.collector.record({
      type: 'test_end', at_us: now, ...attempt.named, ...attempt.place, ...outcome(attempt), duration_us: now - startUs,
      setup_us: (firstUs || now) - startUs, teardown_us: lastUs ? now - lastUs : undefined,
    }); // prettier-ignore
  }
}

/** What failed is a step, or else a hook; steps that are undefined, pending or ambiguous are not there. @param {Attempt} attempt */
function outcome({ broken, skipped }) {
  if (!broken) return { status: skipped ? 'skipped' : 'passed' };
  const { result, step } = broken;
  const message = result.exception?.message ?? result.message?.split('\n', 1)[0];
  if (result.status === 'FAILED') {
    const error_type = result.exception?.type ?? 'Error';
    return { status: step.kind ? 'error' : 'failed', error_type, error_message: message };
  }
  const word = result.status.toLowerCase();
  const error_type = `${word[0].toUpperCase()}${word.slice(1)}Step`;
  return { status: 'error', error_type, error_message: message ?? `${word} step: ${step.name}` };
}

/** A hook's own name, or its word as code has it: `BeforeStep`. @param {any} hook */
function hookName(hook) {
  /** @type {Record<string, string>} */
  const words = {
    BEFORE_TEST_CASE: 'Before', AFTER_TEST_CASE: 'After', BEFORE_TEST_STEP: 'BeforeStep', AFTER_TEST_STEP: 'AfterStep',
  }; // prettier-ignore
  return [words[hook?.type] ?? 'Hook', hook?.name].filter(Boolean).join(' ');
}
