/** The plugin: listens to the run's own events in the process of the configuration, and to the browser. */
import { Collector } from '../core/index.js';
import { caught } from '../core/guard.js';
import { Channel } from './channel.js';
import { Recorder } from './recorder.js';
import { makeSupportFile } from './support_file.js';
import { Tee } from './tee.js';
import config from './config.cjs';

export const { withCrossbridge } = config;

/**
 * Set up Cypress's node events: the user's, and ours beside them.
 * @param {(event: string, handler: any) => void} on
 * @param {any} config as Cypress has resolved it
 * @param {((on: any, config: any) => any) | undefined} own the user's setupNodeEvents
 * @returns {Promise<any>} the configuration, where it is another one now
 */
export async function setUp(on, config, own) {
  const recording = config.isTextTerminal ? await begin(config) : null;
  if (!recording) return own?.(on, config);
  const tee = new Tee(on);
  const returned = await own?.(tee.on, config);
  try {
    const changed = returned ?? config;
    changed.supportFile = makeSupportFile(changed, recording.channel.url);
    tee.join(recording.handlers);
    return changed;
  } catch (error) {
    caught(error, 'setUp');
    return returned;
  }
}

/** @param {any} config */
async function begin(config) {
  try {
    const collector = Collector.start({ framework: 'cypress', frameworkVersion: config.version });
    if (!collector) return null;
    const recorder = new Recorder(collector);
    const channel = await Channel.open((message) => recorder.hear(message));
    return { channel, handlers: handlers(recorder, channel, collector) };
  } catch (error) {
    caught(error, 'begin');
    return null;
  }
}

/**
 * What we do at the run's own events.
 * @param {Recorder} recorder @param {Channel} channel @param {Collector} collector
 * @returns {Record<string, import('./tee.js').Handler>}
 */
function handlers(recorder, channel, collector) {
  return {
    'before:run': (details) => recorder.runBegins(details?.browser?.name),
    'before:spec': (spec) => recorder.specBegins(spec.relative),
    'after:spec': async (_spec, results) => {
      await channel.settle(() => recorder.hasAll(results));
      recorder.specEnds(results);
    },
    'after:run': async (results) => {
      channel.close();
      await collector.shutdown(runStatus(results));
    },
  };
}

/** @param {any} results of Cypress: without totals where the run itself has failed */
function runStatus(results) {
  return results?.totalFailed === 0 ? 'passed' : 'failed';
}
