/**
 * Cucumber for JavaScript: `cucumber-js --format ./crossbridge/cucumber/formatter.js:/dev/null`, or the same in its
 * configuration. It writes nothing itself; the formatters of the project stay as they are.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Collector } from '../core/collector.js';
import { caught } from '../core/guard.js';
import { RunRecorder } from './recorder.js';

// Cucumber does not tell formatters that no scenario is to be run.
const NO_RUN = ['--dry-run', '-d'];

export default class CrossbridgeFormatter {
  static documentation = 'Records the run for CrossBridge.';
  /** @type {RunRecorder | null} */
  #recorder = null;
  #cleanup;

  /** @param {any} options of Cucumber's formatters */
  constructor({ eventBroadcaster, cleanup, cwd }) {
    this.#cleanup = cleanup;
    try {
      if (NO_RUN.some((argument) => process.argv.includes(argument))) return;
      const collector = Collector.start({ framework: 'cucumber', frameworkVersion: versionIn(cwd) });
      if (!collector) return;
      const recorder = new RunRecorder(collector);
      this.#recorder = recorder;
      eventBroadcaster.on('envelope', (/** @type {any} */ envelope) => {
        try {
          recorder.on(envelope);
        } catch (error) {
          caught(error, 'cucumber');
        }
      });
    } catch (error) {
      caught(error, 'cucumber');
    }
  }

  async finished() {
    await this.#recorder?.end(); // never rejects
    await this.#cleanup?.();
  }
}

/** @param {string} cwd @returns {string | undefined} */
function versionIn(cwd) {
  try {
    return createRequire(join(cwd ?? process.cwd(), 'package.json'))('@cucumber/cucumber').version;
  } catch {
    return undefined;
  }
}
