/** What an adapter records into: one collector a process, its segments and their delivery. */
import { newUuid, nowUs } from './clock.js';
import { Delivery } from './delivery.js';
import { encodeLine } from './event.js';
import { caught, faults, say } from './guard.js';
import { environmentName, runInfo } from './run_info.js';
import { SegmentWriter } from './segment.js';
import { ConfigError, loadSettings } from './settings.js';

/**
 * Records events. Nothing it does throws, keeps the process alive, or listens to a signal.
 *
 * Times are microseconds: `at_us` wall clock, durations monotonic.
 */
export class Collector {
  /** @type {SegmentWriter | null} */
  #segment = null;
  /** @type {Delivery | null} */
  #delivery = null;

  /** @param {import('./settings.js').Settings} settings @param {import('./settings.js').Environ} [environ] */
  constructor(settings, environ = process.env) {
    this.settings = settings;
    this.environ = environ;
    this.runId = settings.values.CROSSBRIDGE_RUN_ID ?? newUuid();
  }

  /**
   * Return a collector that records, or null: profiling is off, or a setting is wrong, which is told in a line on stderr.
   * @param {{framework: string, frameworkVersion?: string, worker?: string, parent?: string}} adapter
   * @returns {Collector | null}
   */
  static start(adapter) {
    try {
      const settings = loadSettings();
      if (!settings.enabled) return null;
      const collector = new Collector(settings);
      collector.open(adapter);
      return collector;
    } catch (error) {
      if (error instanceof ConfigError) say(`crossbridge: profiling is off for this run: ${error.message}`);
      else caught(error, 'start');
      return null;
    }
  }

  /**
   * Begin to record. A child of another recording process names its writer as `parent`.
   * @param {{framework: string, frameworkVersion?: string, worker?: string, parent?: string}} adapter
   */
  open({ framework, frameworkVersion, worker, parent }) {
    const { values, projectRoot, spoolPath } = this.settings;
    this.#segment = new SegmentWriter(spoolPath, values.CROSSBRIDGE_SPOOL_MAX_BYTES, {
      runId: this.runId,
      parent: parent ?? null,
      framework,
      frameworkVersion: frameworkVersion ?? null,
      worker: worker ?? null,
      environment: environmentName(values.CROSSBRIDGE_ENVIRONMENT, this.environ),
      appVersion: values.CROSSBRIDGE_APP_VERSION,
      labels: values.CROSSBRIDGE_LABELS,
      info: runInfo(this.environ, projectRoot),
    });
    if (values.CROSSBRIDGE_PROFILING_BACKEND === 'postgres') {
      this.#delivery = new Delivery(this.settings, this.#segment);
      this.#delivery.begin();
    }
  }

  /** The id under which this process's children name it as their parent. */
  get writer() {
    return this.#segment?.writer ?? null;
  }

  /** Record one event; return false when it was dropped. @param {import('./event.js').ProfilingEvent} event */
  record(event) {
    const segment = this.#segment;
    if (!segment) return false;
    try {
      const taken = segment.append(encodeLine(event, event.at_us || nowUs()));
      this.#delivery?.noteEvent();
      return taken;
    } catch (error) {
      segment.drop();
      caught(error, 'record');
      return false;
    }
  }

  /**
   * Close the segment and wait for its delivery, at most CROSSBRIDGE_DRAIN_TIMEOUT; what is left by then is for
   * `crossbridge ingest`.
   * @param {string | null} status what the framework says of its run: passed, failed, interrupted
   * @returns {Promise<boolean>} whether the database has all of it
   */
  async shutdown(status) {
    try {
      this.#segment?.close(status);
      return (await this.#delivery?.finish(this.settings.values.CROSSBRIDGE_DRAIN_TIMEOUT)) ?? false;
    } catch (error) {
      caught(error, 'shutdown');
      return false;
    }
  }

  /** Counts of this process's events: collected = written + spooled + dropped. */
  get stats() {
    const { collected = 0, dropped = 0 } = this.#segment ?? {};
    const written = this.#delivery?.delivered ?? 0;
    return { runId: this.runId, collected, written, spooled: collected - dropped - written, dropped, faults: faults.number };
  }
}
