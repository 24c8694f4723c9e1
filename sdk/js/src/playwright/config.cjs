/** What `crossbridge init` passes a Playwright configuration through. */
'use strict';

const { join } = require('node:path');
const { noteCalls } = require('./worker.cjs');

const REPORTER = join(__dirname, 'index.js');

/**
 * Return the configuration with CrossBridge's reporter beside the project's own, or beside Playwright's default.
 * @template T @param {T} config @returns {T}
 */
exports.withCrossbridge = function withCrossbridge(config) {
  try {
    noteCalls(process.env);
    // `--reporter` takes the place of the configuration's reporters; this variable adds one to either.
    if (process.argv.some((argument) => /^--reporter(=|$)/.test(argument))) process.env.PW_TEST_REPORTER ??= REPORTER;
    return { ...config, reporter: [...reporters(/** @type {any} */ (config).reporter), [REPORTER]] };
  } catch {
    return config;
  }
};

/** @param {unknown} configured @returns {unknown[]} */
function reporters(configured) {
  if (configured === undefined) return [[process.env.CI ? 'dot' : 'list']];
  return Array.isArray(configured) ? configured : [[configured]];
}
