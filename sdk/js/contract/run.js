/**
 * What tests/contract asks of this SDK: a JSON array `[function, ...arguments]` a line in, its JSON result a line out.
 */
import { createInterface } from 'node:readline';
import { Collector } from '../src/core/collector.js';
import { parse } from '../src/core/dotenv.js';
import { encodeLine } from '../src/core/event.js';
import { endpoint, testId } from '../src/core/identity.js';
import { environmentName, runInfo } from '../src/core/run_info.js';
import { cleanText } from '../src/core/sanitise.js';
import { SegmentWriter } from '../src/core/segment.js';
import { ConfigError, findProjectRoot, loadSettings, SETTINGS } from '../src/core/settings.js';
import { VERSION } from '../src/core/version.js';

/** @type {SegmentWriter} */
let writer;
/** @type {Collector} */
let collector;

/** @type {Record<string, (...args: any[]) => any>} */
const functions = {
  parse,
  endpoint,
  testId,
  cleanText,
  findProjectRoot,
  version: () => VERSION,
  settingsNames: () => SETTINGS.map(([name]) => name),
  encode: (event) => encodeLine({ ...event, cpu_percent: event.cpu_percent === 'NaN' ? NaN : event.cpu_percent }).toString(),
  runInfo(environ, root) {
    const { values } = loadSettings(environ, root);
    return { environment: environmentName(values.CROSSBRIDGE_ENVIRONMENT, environ), ...runInfo(environ, root) };
  },
  loadSettings(environ, root) {
    try {
      return loadSettings(environ, root);
    } catch (error) {
      if (error instanceof ConfigError) return { error: error.message };
      throw error;
    }
  },
  open(spool, maxBytes, origin, limits) {
    writer = new SegmentWriter(spool, maxBytes, origin, limits);
    return writer.writer;
  },
  append: (line, times = 1) => Array.from({ length: times }, () => writer.append(Buffer.from(line))),
  close: (status) => writer.close(status),
  counts: () => ({ collected: writer.collected, dropped: writer.dropped, segments: writer.segmentIds.length }),
  start(environ, root) {
    collector = new Collector(loadSettings(environ, root), environ);
    collector.open({ framework: 'pytest', frameworkVersion: '9.2.0' });
    return collector.runId;
  },
  record: (events) => events.map((/** @type {any} */ event) => collector.record(event)),
  shutdown: (status) => collector.shutdown(status),
  stats: () => collector.stats,
  listeners: () => ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'beforeExit'].map((name) => process.listenerCount(name)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  process.stdout.write(`${JSON.stringify((await functions[name](...args)) ?? null)}\n`);
}
