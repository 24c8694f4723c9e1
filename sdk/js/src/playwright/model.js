/** Of Playwright's reporter API what is read here (`@playwright/test/reporter`), for versions from 1.40 on. */

/**
 * @typedef {{message?: string, stack?: string, value?: string, location?: {file: string}}} TestError
 *
 * @typedef {object} TestStep
 * @property {string} title
 * @property {string} category pw:api, test.step, hook, fixture, expect, test.attach
 * @property {TestStep} [parent]
 * @property {TestStep[]} steps
 * @property {TestError} [error]
 * @property {unknown} [subtitle] since 1.60: what older versions have in the title
 * @property {Record<string, unknown>} [params]
 * @property {{type: string}[]} [annotations] since 1.50: `skip` where the step was left out
 *
 * @typedef {object} TestCase
 * @property {string} id
 * @property {string} expectedStatus
 * @property {number} retries
 * @property {number} repeatEachIndex
 * @property {{type: string, description?: string}[]} annotations
 * @property {{file: string}} location
 * @property {() => string[]} titlePath '', project, file below rootDir, titles
 *
 * @typedef {object} TestResult
 * @property {number} retry
 * @property {string} status passed, failed, timedOut, skipped, interrupted
 * @property {number} workerIndex of the process; -1 when it never reached one
 * @property {number} parallelIndex of the slot, which a new process takes over
 * @property {TestError[]} errors
 * @property {TestStep[]} steps
 * @property {{type: string, description?: string}[]} [annotations]
 *
 * @typedef {object} FullConfig
 * @property {string} version
 * @property {string} rootDir
 * @property {string | null} globalSetup absolute path
 * @property {string | null} globalTeardown absolute path
 * @property {{current: number} | null} shard the first is 1
 *
 * @typedef {{status: string}} FullResult
 */

export {};
