/** The HTTP calls of tests: as the workers note them (`worker.cjs`), else as the steps of `request` tell. */
import * as nodeFs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpoint } from '../core/identity.js';

const fs = { ...nodeFs };

/** Where workers find the folder they note their calls in; read by `worker.cjs`. */
const FOLDER = 'CROSSBRIDGE_PLAYWRIGHT_CALLS';
const REQUEST = /^(?:apiRequestContext\.(get|post|put|patch|delete|head|fetch)\b|(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b)/;

/**
 * A call as a worker notes it.
 * @typedef {{test: string | null, retry: number, method: string, url: string, status?: number, error?: string, at_us: number, duration_us: number}} Call
 */

/** The folder with one file a worker process, and how far each has been read. */
export class Calls {
  #folder = fs.mkdtempSync(join(tmpdir(), 'crossbridge-'));
  /** @type {Map<number, number>} */
  #offsets = new Map();
  /** @type {Call[]} */
  #read = [];

  constructor() {
    process.env[FOLDER] = this.#folder; // for the workers, which begin after this
  }

  /**
   * Whether a worker process notes its calls: it has read a configuration that `withCrossbridge` was in.
   * @param {number} workerIndex
   */
  areNotedBy(workerIndex) {
    return this.#offsets.has(workerIndex) || fs.existsSync(this.#path(workerIndex));
  }

  /**
   * Return the calls of an attempt that has ended in this worker.
   * @param {number} workerIndex @param {string} test @param {number} retry
   */
  of(workerIndex, test, retry) {
    this.#readOn(workerIndex);
    const own = this.#read.filter((call) => call.test === test && call.retry === retry);
    if (own.length) this.#read = this.#read.filter((call) => !own.includes(call));
    return own;
  }

  /** Return the calls that belong to no test that has ended, and remove the folder. */
  close() {
    for (const worker of fs.readdirSync(this.#folder)) this.#readOn(Number(worker));
    if (process.env[FOLDER] === this.#folder) delete process.env[FOLDER];
    fs.rmSync(this.#folder, { recursive: true, force: true });
    return this.#read;
  }

  /** @param {number} workerIndex */
  #path(workerIndex) {
    return join(this.#folder, String(workerIndex));
  }

  /** @param {number} workerIndex */
  #readOn(workerIndex) {
    if (!this.areNotedBy(workerIndex)) return;
    const from = this.#offsets.get(workerIndex) ?? 0;
    const path = this.#path(workerIndex);
    if (fs.statSync(path).size === from) return void this.#offsets.set(workerIndex, from);
    const fresh = fs.readFileSync(path).subarray(from);
    const whole = fresh.subarray(0, fresh.lastIndexOf(10) + 1);
    this.#offsets.set(workerIndex, from + whole.length);
    for (const line of whole.toString().split('\n')) if (line) this.#read.push(JSON.parse(line));
  }
}

/**
 * Return the event of a noted call, within the attempt that began at `beganUs`: the two processes' clocks differ by a little.
 * @param {Call} call @param {number} beganUs @param {number} endUs
 */
export function callEvent(call, beganUs, endUs) {
  const at = Math.min(call.at_us, endUs);
  const duration = Math.min(call.duration_us, at - beganUs);
  return {
    type: 'http_call',
    at_us: at,
    endpoint: endpoint(call.url),
    method: call.method,
    status_code: call.status,
    duration_us: Math.max(duration, 0),
    error: call.error,
  };
}

/**
 * Return the event of a `request` fixture's call that is a step, or null when the step is none. Its status is not known here.
 * @param {import('./model.js').TestStep} step
 * @param {{at_us: number, duration_us: number}} times
 */
export function callOfStep(step, { at_us, duration_us }) {
  const match = step.category === 'pw:api' ? REQUEST.exec(step.title) : null;
  if (!match) return null;
  const url = urlOf(step);
  if (url === null) return null;
  const method = String(step.params?.method ?? match[1] ?? match[2]).toUpperCase();
  const error = step.error ? 'Error' : undefined;
  return { type: 'http_call', at_us, endpoint: endpoint(url), method: method === 'FETCH' ? 'GET' : method, duration_us, error };
}

/** @param {import('./model.js').TestStep} step */
function urlOf({ title, params, subtitle }) {
  for (const found of [params?.url, subtitle]) if (typeof found === 'string' && found) return found;
  return /^[\w.]+\(([^)]*)\)/.exec(title)?.[1] ?? /"([^"]*)"/.exec(title)?.[1] ?? null;
}
