/** The steps of one attempt: names without values, and how they nest. */
import { nowUs } from '../core/clock.js';
import { isSetUp } from './outcome.js';

/** @typedef {import('./model.js').TestStep} TestStep */
/** @typedef {{index: number, depth: number, children: number, beganUs: number, step: TestStep}} Underway */

/** @type {Record<string, string>} */
const KINDS = { 'pw:api': 'api', 'test.step': 'step' };
// What people wrote themselves: shown as it is.
const WRITTEN = new Set(['test.step', 'hook', 'fixture']);

/** The steps of one attempt that have begun. Times are microseconds of this process's clock. */
export class Steps {
  setupUs = 0;
  teardownUs = 0;
  #next = 0;
  /** @type {Map<TestStep, Underway>} */
  #underway = new Map();

  /** @param {TestStep} step */
  begin(step) {
    const parent = step.parent && this.#underway.get(step.parent);
    if (parent) parent.children += 1;
    const depth = parent ? parent.depth + 1 : 0;
    this.#underway.set(step, { index: this.#next++, depth, children: 0, beganUs: nowUs(), step });
  }

  /**
   * Return the event of a step that ends; null for the frame around hooks when there were none.
   * @param {TestStep} step
   */
  end(step) {
    const begun = this.#underway.get(step);
    if (!begun) return null;
    this.#underway.delete(step);
    const skipped = step.annotations?.some(({ type }) => type === 'skip');
    return this.#event(begun, step.error ? 'failed' : skipped ? 'skipped' : 'passed');
  }

  /** Return the events of what was cut short, the innermost first. */
  endAll() {
    const left = [...this.#underway.values()].reverse();
    this.#underway.clear();
    return left.map((begun) => this.#event(begun, 'failed')).filter((event) => event !== null);
  }

  /** @param {Underway} begun @param {string} status */
  #event({ index, depth, children, beganUs, step }, status) {
    const endUs = nowUs();
    const isFrame = depth === 0 && step.category === 'hook';
    if (isFrame) {
      if (isSetUp(step)) this.setupUs += endUs - beganUs;
      else this.teardownUs += endUs - beganUs;
      if (!children && !step.error && this.#next === index + 1) {
        this.#next = index;
        return null;
      }
    }
    return {
      type: 'step_end',
      at_us: endUs,
      step_name: stepName(step),
      duration_us: endUs - beganUs,
      status,
      event_type: KINDS[step.category] ?? step.category.split('.').pop()?.toLowerCase(),
      step_index: index,
      depth,
    };
  }
}

/**
 * Return a step's name without what was typed, searched or called: `Fill "s3cret"` is `Fill`, `page.goto(http://…)` is
 * `page.goto`. An assertion keeps its matcher. Playwright has had all of these in the title, version by version.
 * @param {TestStep} step
 */
export function stepName({ title, category }) {
  if (WRITTEN.has(category)) return title;
  if (category === 'expect') return /^(?:[Ee]xpect(?:\.\w+)*(?: "[\w .]+")?)/.exec(title)?.[0] ?? title;
  const name = title.split(/["'`(]|\b\w+:\/\//, 1)[0].replace(/(?: (?:to|for|with|into))* *$/, '');
  return name || category;
}
