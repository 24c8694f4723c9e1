/**
 * Mocha: `mocha --require ./crossbridge/mocha/register.js`, or the same in `.mocharc`. Every reporter stays as it is.
 *
 * Mocha's runner says what happens through `emit`; we hear it there. A file that does not load is heard of where files
 * are loaded. Nothing thrown in here reaches Mocha.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Collector } from '../core/collector.js';
import { guarded } from '../core/guard.js';
import { RunRecorder } from './recorder.js';

/** Null where a run is not recorded. @type {WeakMap<object, RunRecorder | null>} */
const recorders = new WeakMap();
/** The runner that is underway. What its tests run of Mocha is not recorded. @type {any} */
let underway = null;

/** @param {any} Mocha */
function listen(Mocha) {
  const { prototype } = Mocha.Runner;
  const emit = prototype.emit;
  prototype.emit = function (/** @type {string} */ event, /** @type {any[]} */ ...args) {
    guarded('mocha', () => hear(this, event, args, Mocha));
    return Reflect.apply(emit, this, [event, ...args]);
  };
}

/** @param {any} runner @param {string} event @param {any[]} args @param {any} Mocha */
function hear(runner, event, args, Mocha) {
  // A runner of --parallel says 'start' again for each file that does not load.
  if (event === 'start' && !recorders.has(runner)) {
    const isOurs = !underway && !runner._opts?.dryRun; // a dry run calls everything passed
    const recorder = isOurs ? begin(Mocha, runner) : null;
    recorders.set(runner, recorder);
    underway ??= runner;
    if (recorder?.isTold) hearOfWorkers(runner, recorder);
  }
  recorders.get(runner)?.on(event, args);
  if (event === 'end' && runner === underway) underway = null;
}

/** @param {any} Mocha @param {any} [runner] none where it has not come to that */
function begin(Mocha, runner) {
  const collector = Collector.start({ framework: 'mocha', frameworkVersion: versionOf(Mocha) });
  return collector && new RunRecorder(collector, runner);
}

/** Hear of files that a worker of --parallel cannot load. @param {any} runner @param {RunRecorder} recorder */
function hearOfWorkers(runner, recorder) {
  const create = runner._createFileRunner;
  if (!create) return;
  runner._createFileRunner = (/** @type {any[]} */ ...args) => {
    const run = Reflect.apply(create, runner, args);
    return (/** @type {string} */ file) =>
      run(file).catch((/** @type {unknown} */ error) => {
        guarded('mocha', () => recorder.breaks(file, error));
        throw error;
      });
  };
}

/** Hear of the file at which Mocha gives up, before anything runs. @param {any} Mocha */
function hearOfLoading(Mocha) {
  const { prototype } = Mocha;
  const load = prototype.loadFilesAsync;
  if (!load) return;
  prototype.loadFilesAsync = function (/** @type {any[]} */ ...args) {
    /** @type {string | null} */
    let file = null;
    this.suite.on('pre-require', (/** @type {unknown} */ _, /** @type {string} */ path) => (file = path));
    // No async function: it would stand in the stack that Mocha prints.
    return Reflect.apply(load, this, args).catch((/** @type {unknown} */ error) => {
      guarded('mocha', () => hideUs(error));
      const recorder = file && !underway && !this.options?.dryRun && guarded('mocha', () => begin(Mocha));
      if (!recorder) throw error;
      guarded('mocha', () => recorder.breaks(/** @type {string} */ (file), error));
      return recorder.end().then(() => {
        throw error;
      });
    });
  };
}

/** Mocha prints the stack of an error that it throws itself while it loads: without our line. @param {any} error */
function hideUs(error) {
  const lines = String(error?.stack).split('\n');
  const theirs = lines.filter((line) => !line.includes(import.meta.url));
  if (theirs.length < lines.length) error.stack = theirs.join('\n');
}

/** The Mocha that runs: the one whose command this process is, else the one of the working folder. */
function findMocha() {
  for (let folder = dirname(realpathSync(process.argv[1])); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'mocha') {
      return mochaIn(createRequire(manifest)('./'));
    }
  }
  return mochaIn(createRequire(join(process.cwd(), 'package.json'))('mocha'));
}

/** From version 12 on Mocha is an ES module. @param {any} loaded */
function mochaIn(loaded) {
  return loaded.default ?? loaded;
}

/** @param {any} Mocha @returns {string | undefined} */
function versionOf(Mocha) {
  return Mocha.prototype.version ?? Mocha.version;
}

guarded('mocha', () => {
  // A worker of --parallel only tells the process that started it, where the run is recorded.
  if (process.env.MOCHA_WORKER_ID) return;
  const Mocha = findMocha();
  listen(Mocha);
  hearOfLoading(Mocha);
});
