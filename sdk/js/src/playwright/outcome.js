/** How a test ended: Playwright's words in ours, and what went wrong. */

/** @typedef {import('./model.js').TestError} TestError */
/** @typedef {import('./model.js').TestStep} TestStep */

const ANSI = /\x1b\[[0-9;]*m/g;
const TYPE = /^([A-Za-z_$][\w$]*(?:Error|Exception|Failure)): /;
const CRASH = /^Error: worker process exited unexpectedly/;
// The query and fragment of a URL, and who logs in with it.
const QUERY = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>?#]*)[?#][^\s"'`<>]*/gi;
const LOGIN = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s"'`<>/@]*@/gi;
/** @type {Record<string, string>} */
const SAME = { passed: 'passed', skipped: 'skipped', interrupted: 'interrupted' };

/**
 * Return what `test_end` says of the outcome.
 * @param {import('./model.js').TestCase} test
 * @param {import('./model.js').TestResult} result
 * @returns {{status: string, error_type?: string, error_message?: string}}
 */
export function outcome(test, result) {
  if (test.expectedStatus === 'failed' && result.status === 'failed') return { status: 'xfailed' };
  if (test.expectedStatus === 'failed' && result.status === 'passed') return { status: 'xpassed' };
  const error = result.errors[0];
  return {
    status: SAME[result.status] ?? (isOutsideOfBody(result) ? 'error' : 'failed'),
    error_type: result.status === 'timedOut' ? 'TestTimeout' : error && errorType(error, result.steps),
    error_message: error ? messageOf(error) : reasonOf(test, result),
  };
}

/** Return what `test_end` says of an error that is no test's. @param {TestError} error */
export function errorFields(error) {
  return { error_type: errorType(error, []), error_message: messageOf(error) };
}

/**
 * Whether what broke is not the test's body but its set-up or its tear-down.
 * @param {import('./model.js').TestResult} result
 */
function isOutsideOfBody({ errors, steps }) {
  const hooks = steps.filter((step) => step.category === 'hook' && step.error);
  if (!hooks.length) return false;
  if (hooks.some(isSetUp)) return true; // the body has not run
  const theirs = new Set(hooks.flatMap(errorsIn));
  return errors.every(({ message }) => theirs.has(message));
}

/** @param {TestStep} step outermost */
export function isSetUp(step) {
  return step.title === 'Before Hooks';
}

/** @param {TestStep} step @returns {(string | undefined)[]} */
function errorsIn(step) {
  return [step.error?.message, ...step.steps.flatMap(errorsIn)];
}

/**
 * Return the class of an error, as far as its text tells; what `expect` throws is called AssertionError, as elsewhere.
 * @param {TestError} error @param {TestStep[]} steps
 */
function errorType(error, steps) {
  const text = plain(error.message ?? error.value ?? '');
  if (CRASH.test(text)) return 'WorkerExit';
  const named = TYPE.exec(text)?.[1];
  if (named && named !== 'Error') return named;
  return steps.some((step) => isFailedExpect(step, error)) ? 'AssertionError' : (named ?? (error.message ? 'Error' : 'Thrown'));
}

/** @param {TestStep} step @param {TestError} error @returns {boolean} */
function isFailedExpect(step, error) {
  if (step.category === 'expect' && step.error && step.error.message === error.message) return true;
  return step.steps.some((inner) => isFailedExpect(inner, error));
}

/** The text of an error without colours, typed values and query strings. @param {TestError} error */
function messageOf(error) {
  const text = plain(error.message ?? error.value ?? '');
  // The log of a call repeats what was typed.
  return text.split(/\n+(?:Call [Ll]og:|=+ logs =+)/, 1)[0].replace(LOGIN, '$1').replace(QUERY, '$1').trim();
}

/** Why a test was skipped. @param {import('./model.js').TestCase} test @param {import('./model.js').TestResult} result */
function reasonOf(test, result) {
  if (result.status !== 'skipped') return undefined;
  const found = [...(result.annotations ?? []), ...test.annotations].find(({ type }) => type === 'skip' || type === 'fixme');
  return found ? found.description : 'did not run: a test before it failed';
}

/** @param {string} text */
function plain(text) {
  return text.replace(ANSI, '');
}
