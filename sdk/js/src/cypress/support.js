/**
 * Runs in the browser, beside the user's support file: tells the plugin what happens, as it happens.
 *
 * Times are microseconds of the spec window's own clock, which `cy.clock` does not touch. No argument of a command and
 * no query of a URL leaves the browser.
 */
import { withoutSecrets } from './message.js';
import { Steps } from './steps.js';

const Socket = globalThis.WebSocket;
const now = performance.now.bind(performance);
const ORIGIN_MS = performance.timeOrigin;
const stringify = JSON.stringify;

const Day = Date;
const wallMs = Date.now.bind(Date);
const A_SECOND_US = 1_000_000;

const nowUs = () => Math.round((ORIGIN_MS + now()) * 1000);

/**
 * Watch the tests of this window.
 * @param {any} Cypress
 * @param {string} url of the plugin's WebSocket
 */
export function watch(Cypress, url) {
  const send = sender(url);
  /** @type {{id: string, retry: number} | null} */
  let test = null;
  /** @param {string} kind @param {any} fields */
  const tell = (kind, fields) => test && send({ kind, ...test, ...fields });
  const steps = new Steps(nowUs, (step) => tell('step', step));
  const requests = new Requests((call) => tell('http', call));

  /** @type {Record<string, (...values: any[]) => void>} */
  const handlers = {
    'test:before:run': (attributes, runnable) => {
      test = { id: attributes.id, retry: retryOf(attributes, runnable) };
      steps.reset();
      tell('start', { at: nowUs() - agoUs(attributes.wallClockStartedAt), titles: runnable.titlePath() });
    },
    'test:after:run': (attributes, runnable) => {
      test = { id: attributes.id, retry: retryOf(attributes, runnable) };
      steps.closeAll(attributes.state === 'failed');
      requests.closeAll();
      tell('end', { at: nowUs(), titles: runnable.titlePath(), ...outcome(attributes, runnable) });
      test = null;
    },
    'runnable:after:run:async': (runnable) => steps.closeAll(runnable.state === 'failed' || Boolean(runnable.err)),
    'command:enqueued': () => steps.enqueued(),
    'command:start': (command) => steps.starts(command.get('name'), phaseOf(Cypress)),
    'command:retry': () => steps.retries(),
    'command:end': (command) => ends(command, null),
    'command:failed': (command, error) => ends(command, error ?? command.get('error') ?? {}),
    'skipped:command:end': () => steps.skipped(),
    'log:added': (attributes, log) => requests.seen(attributes, log),
    'log:changed': (attributes, log) => requests.seen(attributes, log),
  };
  /** @param {any} command @param {any} error */
  function ends(command, error) {
    const startedAt = steps.ends(error ? error.name || 'Error' : null);
    if (startedAt !== null && command.get('name') === 'request') {
      tell('http', requestOf(command, error, Cypress.config('baseUrl'), startedAt));
    }
  }
  for (const [event, handler] of Object.entries(handlers)) Cypress.on(event, guarded(event, handler, send));
}

/** @param {string} event @param {(...values: any[]) => void} handler @param {(message: any) => void} send */
function guarded(event, handler, send) {
  /** @param {any[]} values */
  return (...values) => {
    try {
      handler(...values);
    } catch (error) {
      send({ kind: 'fault', where: event, error: String(error).slice(0, 300) });
    }
  };
}

/** What is sent before the connection stands waits for it; without one nothing is. @param {string} url */
function sender(url) {
  /** @type {string[] | null} */
  let waiting = [];
  /** @type {WebSocket | null} */
  let socket = null;
  try {
    socket = new Socket(url);
    socket.addEventListener('open', () => {
      for (const text of waiting ?? []) socket?.send(text);
      waiting = null;
    });
    socket.addEventListener('close', () => {
      socket = null;
      waiting = null;
    });
  } catch {
    // the page's policy forbids it: the plugin has what Cypress tells it
  }
  return (/** @type {any} */ message) => {
    if (!socket) return;
    if (waiting) waiting.push(stringify(message));
    else socket.send(stringify(message));
  };
}

/** How long ago a test began: Cypress prepares it before it tells. @param {Date | string | undefined} date */
function agoUs(date) {
  const ago = (wallMs() - new Day(date ?? NaN).getTime()) * 1000;
  return ago > 0 && ago < A_SECOND_US ? ago : 0; // otherwise the wall clock was set meanwhile
}

/** @param {any} attributes @param {any} runnable @returns {number} */
function retryOf(attributes, runnable) {
  return attributes.currentRetry ?? runnable._currentRetry ?? 0;
}

/** @param {any} attributes @param {any} runnable */
function outcome(attributes, runnable) {
  const { state, err, timings } = attributes;
  const inHook = Boolean(state === 'failed' && (attributes.failedFromHookId ?? runnable.failedFromHookId));
  return {
    state,
    inHook,
    setup: hooksUs(timings, 'before'),
    teardown: hooksUs(timings, 'after'),
    error: state === 'failed' && err ? { name: err.name, message: withoutSecrets(String(err.message ?? '')) } : null,
  };
}

/** The time of all hooks `before all` and `before each`, or `after ...`; null without any. @param {any} timings @param {string} which */
function hooksUs(timings, which) {
  const hooks = Object.entries(timings ?? {}).flatMap(([name, found]) => (name.startsWith(which) ? found : []));
  if (!hooks.length) return null;
  return Math.round(hooks.reduce((sum, hook) => sum + (hook.fnDuration ?? 0) + (hook.afterFnDuration ?? 0), 0) * 1000);
}

/** Which part of the test is running: setup, teardown, or null: its body. @param {any} Cypress */
function phaseOf(Cypress) {
  const runnable = Cypress.state?.('runnable');
  if (runnable?.type !== 'hook') return null;
  return String(runnable.hookName ?? runnable.title).includes('after') ? 'teardown' : 'setup';
}

/** @param {any} command of cy.request @param {any} error @param {string | null} baseUrl @param {number} startedAt */
function requestOf(command, error, baseUrl, startedAt) {
  const at = nowUs();
  const [first, second] = command.get('args');
  const options = typeof first === 'object' && first ? first : typeof second === 'string' ? { method: first, url: second } : { url: first };
  const status = command.get('subject')?.status ?? Number(/Status: ([0-9]{3})/.exec(error?.message)?.[1] ?? 0);
  return {
    at,
    duration: at - startedAt,
    method: String(options.method ?? 'GET').toUpperCase(),
    url: bare(String(options.url), baseUrl),
    status: status || null,
    error: error && !status ? error.name || 'Error' : null,
  };
}

/** A URL without its query. @param {string} url @param {string | null} [base] */
function bare(url, base) {
  const path = url.split(/[?#]/, 1)[0];
  try {
    return new URL(path, base ?? undefined).href;
  } catch {
    return path;
  }
}

/** The page's own calls: Cypress logs each XMLHttpRequest and fetch that passes its proxy. */
class Requests {
  /** @type {Map<string, any>} */
  #open = new Map();

  /** @param {(call: any) => void} tell */
  constructor(tell) {
    this.tell = tell;
  }

  /** @param {any} attributes of a line of Cypress's log @param {any} log */
  seen(attributes, log) {
    if (attributes.name !== 'request' || !['xhr', 'fetch'].includes(attributes.displayName)) return;
    if (attributes.state === 'pending') {
      if (!this.#open.has(attributes.id)) this.#open.set(attributes.id, { startedAt: nowUs(), log });
      return;
    }
    const found = this.#open.get(attributes.id);
    this.#open.delete(attributes.id);
    if (found) this.#tell(found, null);
  }

  /** The test is over: what has not been answered is told as such. */
  closeAll() {
    for (const found of this.#open.values()) this.#tell(found, 'no answer before the test ended');
    this.#open.clear();
  }

  /** @param {any} found @param {string | null} error */
  #tell({ startedAt, log }, error) {
    const at = nowUs();
    const { Method: method, URL: url, ...rest } = propertiesOf(log);
    const status = rest['Response Status Code'] ?? rest.Response?.statusCode ?? null;
    if (method && url) this.tell({ at, duration: at - startedAt, method, url: bare(url, globalThis.location.origin), status, error });
  }
}

/** @param {any} log */
function propertiesOf(log) {
  const properties = log.get('consoleProps');
  const found = typeof properties === 'function' ? properties() : properties;
  return found?.props ?? found ?? {};
}
