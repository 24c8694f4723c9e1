/**
 * Mocha: `mocha --require ./crossbridge/mocha/register.js`, or the same in `.mocharc`. Every reporter stays as it is.
 *
 * Mocha's runner says what happens through `emit`; we hear it there. Nothing thrown in here reaches Mocha.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Collector } from '../core/collector.js';
import { caught } from '../core/guard.js';
import { RunRecorder } from './recorder.js';

/** @type {WeakMap<object, RunRecorder>} */
const recorders = new WeakMap();

/** @param {any} Mocha */
function listen(Mocha) {
  const { prototype } = Mocha.Runner;
  const emit = prototype.emit;
  prototype.emit = function (/** @type {string} */ event, /** @type {any[]} */ ...args) {
    try {
      hear(this, event, args, Mocha);
    } catch (error) {
      caught(error, 'mocha');
    }
    return Reflect.apply(emit, this, [event, ...args]);
  };
}

/** @param {any} runner @param {string} event @param {any[]} args @param {any} Mocha */
function hear(runner, event, args, Mocha) {
  if (event === 'start') {
    const collector = Collector.start({ framework: 'mocha', frameworkVersion: versionOf(Mocha) });
    if (collector) recorders.set(runner, new RunRecorder(collector, runner));
  }
  recorders.get(runner)?.on(event, args);
}

/** The Mocha that runs: the one whose command this process is, else the one of the working folder. */
function findMocha() {
  for (let folder = dirname(realpathSync(process.argv[1])); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'mocha') {
      return createRequire(manifest)('./');
    }
  }
  return createRequire(join(process.cwd(), 'package.json'))('mocha');
}

/** @param {any} Mocha @returns {string | undefined} */
function versionOf(Mocha) {
  return Mocha.prototype.version ?? Mocha.version;
}

try {
  // A worker of --parallel only tells the process that started it, where the run is recorded.
  if (!process.env.MOCHA_WORKER_ID) listen(findMocha());
} catch (error) {
  caught(error, 'mocha');
}
