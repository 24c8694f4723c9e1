/**
 * In a worker process: notes the HTTP calls that tests make from Node, for the reporter to record (`calls.js`).
 *
 * It listens to Node's diagnostics channels and changes nothing. Not noted: query strings, users, bodies.
 */
'use strict';

const diagnostics = require('node:diagnostics_channel');
const { errorMonitor } = require('node:events');
const fs = require('node:fs');
const { performance } = require('node:perf_hooks');

// Captured before a test can fake them.
const appendFileSync = fs.appendFileSync;
const now = performance.now.bind(performance);
const ORIGIN_MS = performance.timeOrigin;

/** @returns {{testId: string, retry: number} | null} */
function currentTest() {
  for (const name of ['@playwright/test', 'playwright/test']) {
    try {
      return require(name).test.info();
    } catch {
      // not installed under this name, or no test is running
    }
  }
  return null;
}

/** Note calls from now on, when the reporter has asked for it and this is a worker. @param {NodeJS.ProcessEnv} environ */
exports.noteCalls = function noteCalls(environ) {
  const folder = environ.CROSSBRIDGE_PLAYWRIGHT_CALLS;
  const worker = environ.TEST_WORKER_INDEX;
  const slot = Symbol.for('crossbridge.playwright.calls');
  /** @type {any} */
  const here = globalThis;
  if (!folder || !worker || here[slot]) return;
  here[slot] = true;
  const path = `${folder}/${worker}`;
  appendFileSync(path, '', { mode: 0o600 });

  /** @type {WeakMap<object, {beganMs: number, test: {testId: string, retry: number} | null}>} */
  const underway = new WeakMap();
  /** @param {any} request */
  const begin = (request) => void underway.set(request, { beganMs: now(), test: currentTest() });
  /** @param {any} request @param {string} method @param {string} url @param {{status?: number, error?: string}} end */
  const end = (request, method, url, { status, error }) => {
    const begun = underway.get(request);
    if (!begun) return;
    underway.delete(request);
    const endMs = now();
    const at_us = Math.round((ORIGIN_MS + endMs) * 1000);
    const duration_us = Math.round((endMs - begun.beganMs) * 1000);
    const call = { test: begun.test?.testId ?? null, retry: begun.test?.retry ?? 0, method, url, status, error, at_us, duration_us };
    appendFileSync(path, `${JSON.stringify(call)}\n`);
  };

  listen('http.client.request.start', ({ request }) => {
    begin(request);
    /** @param {any} error */
    const failed = (error) => quietly(() => end(request, request.method, urlOf(request), { error: nameOf(error) }));
    request.once(errorMonitor, failed); // which, unlike a listener to 'error', handles nothing
    request.once('close', () => failed({ code: 'closed' }));
  });
  listen('http.client.response.finish', ({ request, response }) => {
    end(request, request.method, urlOf(request), { status: response.statusCode });
  });
  // fetch()
  listen('undici:request:create', ({ request }) => begin(request));
  listen('undici:request:headers', ({ request, response }) => {
    end(request, request.method, fetchUrl(request), { status: response.statusCode });
  });
  listen('undici:request:error', ({ request, error }) => {
    end(request, request.method, fetchUrl(request), { error: nameOf(error) });
  });
};

/** @param {string} channel @param {(message: any) => void} listener */
function listen(channel, listener) {
  diagnostics.subscribe(channel, (message) => quietly(() => listener(message)));
}

/** @param {() => void} action */
function quietly(action) {
  try {
    action();
  } catch {
    // a call is not noted; a test never hears of it
  }
}

/** @param {any} request of node:http */
function urlOf(request) {
  return `${request.protocol}//${request.getHeader('host') ?? request.host}${String(request.path).split(/[?#]/, 1)[0]}`;
}

/** @param {any} request of undici */
function fetchUrl(request) {
  return `${request.origin}${String(request.path).split(/[?#]/, 1)[0]}`;
}

/** @param {any} error */
function nameOf(error) {
  return String(error?.code ?? error?.name ?? 'Error');
}
