/**
 * Every setting, in one table, and the one place that reads them.
 *
 * Precedence: environment, `.env` in the project root, default; the first found wins. `spec/settings.json` is the same
 * table for all languages. `crossbridge.yml` is read by the SDK in Python only.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { hyphened } from './clock.js';
import { parse } from './dotenv.js';
import { trim } from './text.js';

/** @typedef {Record<string, string | undefined>} Environ */

export const PASSWORD = 'CROSSBRIDGE_DB_PASSWORD';
const SWITCHES = ['CROSSBRIDGE_PROFILING', 'CROSSBRIDGE_PROFILING_ENABLED'];
const ROOT_MARKS = ['.env', 'crossbridge.yml', '.crossbridge', '.git'];
const TRUE = ['1', 'true', 'yes', 'on'];
const FALSE = ['0', 'false', 'no', 'off'];
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
const LABELS_MAX_CHARS = 8000;
/** @type {Record<string, number>} */
const UNITS = { '': 1, B: 1, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 };

/** A setting is wrong: the message names it, the value seen (never the password) and the mend. */
export class ConfigError extends Error {}

/** @param {string} name @param {string} wanted @param {string} text */
function bad(name, wanted, text) {
  const shown = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return new ConfigError(`${name} must be ${wanted}, got '${shown}'. Unset it to use the default.`);
}

/** @param {string} _name @param {string} text */
const asText = (_name, text) => text;

/** @param {string} name @param {string} text */
function asBoolean(name, text) {
  if (TRUE.includes(text.toLowerCase())) return true;
  if (FALSE.includes(text.toLowerCase())) return false;
  throw bad(name, 'true or false', text);
}

/** @param {string[]} allowed @returns {(name: string, text: string) => string} */
const choice = (allowed) => (name, text) => {
  if (allowed.includes(text.toLowerCase())) return text.toLowerCase();
  throw bad(name, `one of ${allowed.join(', ')}`, text);
};

/** @param {RegExp} form @param {number} low @param {number} high @param {string} wanted
 *  @returns {(name: string, text: string) => number} */
const number = (form, low, high, wanted) => (name, text) => {
  const value = form.test(text) ? Number(text) : NaN;
  if (value >= low && value <= high) return value;
  throw bad(name, `${wanted} from ${low} to ${high}`, text);
};

/** @param {number} low @param {number} high */
const integer = (low, high) => number(/^[0-9]{1,19}$/, low, high, 'a whole number');
/** @param {number} low @param {number} high */
const seconds = (low, high) => number(/^(?:[0-9]{1,19}(?:\.[0-9]{1,19})?|\.[0-9]{1,19})$/, low, high, 'a number of seconds');

/** @param {number} low @param {number} high @returns {(name: string, text: string) => number} */
const bytes = (low, high) => (name, text) => {
  const match = /^([0-9]{1,19})([^0-9].*)?$/s.exec(text);
  const size = match ? Number(match[1]) * (UNITS[trim(match[2] ?? '').toUpperCase()] ?? 0) : 0;
  if (size >= low && size <= high) return size;
  throw bad(name, `a size from ${low} to ${high} bytes (plain, or with KiB, MiB, GiB)`, text);
};

/** @param {string} name @param {string} text */
function asUuid(name, text) {
  const lowered = text.toLowerCase();
  const digits = lowered.replaceAll('-', '');
  const uuid = hyphened(digits);
  if (/^[0-9a-f]{32}$/.test(digits) && (lowered === digits || lowered === uuid)) return uuid;
  throw bad(name, 'a UUID', text);
}

/** @param {string} name @param {string} text @returns {Record<string, string>} */
function asLabels(name, text) {
  if ([...text].length > LABELS_MAX_CHARS) {
    throw bad(name, `at most ${LABELS_MAX_CHARS} characters`, `${[...text].slice(0, 40).join('')}...`);
  }
  /** @type {Record<string, string>} */
  const labels = {};
  for (const pair of text.split(',').map(trim).filter(Boolean)) {
    const equals = pair.indexOf('=');
    const key = trim(pair.slice(0, Math.max(equals, 0)));
    if (!key) throw bad(name, 'labels as k=v,k=v', text);
    labels[key] = trim(pair.slice(equals + 1));
  }
  return labels;
}

/** @param {string} _name @param {string} text */
const asPath = (_name, text) => text.replace(/^~(?=\/|$)/, homedir);

/** Name, how its text is read, default. @type {[string, (name: string, text: string) => any, any][]} */
export const SETTINGS = [
  ['CROSSBRIDGE_PROFILING', asBoolean, null],
  ['CROSSBRIDGE_PROFILING_ENABLED', asBoolean, null],
  ['CROSSBRIDGE_PROFILING_BACKEND', choice(['postgres', 'local', 'none']), null],
  ['CROSSBRIDGE_DB_HOST', asText, null],
  ['CROSSBRIDGE_DB_PORT', integer(1, 65535), 5432],
  ['CROSSBRIDGE_DB_NAME', asText, null],
  ['CROSSBRIDGE_DB_USER', asText, null],
  [PASSWORD, asText, null],
  ['CROSSBRIDGE_DB_SSLMODE', choice(SSL_MODES), 'prefer'],
  ['CROSSBRIDGE_RUN_ID', asUuid, null],
  ['CROSSBRIDGE_ENVIRONMENT', asText, null],
  ['CROSSBRIDGE_APP_VERSION', asText, null],
  ['CROSSBRIDGE_LABELS', asLabels, {}],
  ['CROSSBRIDGE_QUEUE_SIZE', integer(100, 1_000_000), 10_000],
  ['CROSSBRIDGE_BATCH_SIZE', integer(1, 5000), 100],
  ['CROSSBRIDGE_FLUSH_INTERVAL', seconds(0.01, 60), 1],
  ['CROSSBRIDGE_SPOOL_DIR', asPath, '.crossbridge/spool'],
  ['CROSSBRIDGE_SPOOL_MAX_BYTES', bytes(2 ** 16, 2 ** 40), 2 ** 31],
  ['CROSSBRIDGE_DB_POOL_MAX', integer(1, 100), 10],
  ['CROSSBRIDGE_DRAIN_TIMEOUT', seconds(0, 600), 2],
  ['CROSSBRIDGE_DATA_DIR', asPath, null],
];

/**
 * @typedef {object} Settings
 * @property {boolean} enabled
 * @property {string} projectRoot absolute path
 * @property {string} spoolPath absolute path
 * @property {Record<string, any>} values by the names of the variables; what is not set has its default
 */

/** Return the nearest folder from `start` upward that is marked as a project's root, else `start`. @param {string} start */
export function findProjectRoot(start) {
  for (let folder = start; ; folder = dirname(folder)) {
    if (ROOT_MARKS.some((mark) => existsSync(join(folder, mark)))) return folder;
    if (folder === dirname(folder)) return start;
  }
}

/**
 * Read every setting once, from the environment and `.env`.
 * @param {Environ} [environ]
 * @param {string} [projectRoot]
 * @returns {Settings}
 * @throws {ConfigError}
 */
export function loadSettings(environ = process.env, projectRoot = findProjectRoot(process.cwd())) {
  const texts = settingsTexts(environ, projectRoot);
  /** @type {Record<string, any>} */
  const values = {};
  for (const [name, read, fallback] of SETTINGS) {
    const text = texts.get(name);
    values[name] = text === undefined ? fallback : read(name, text);
  }
  const switches = SWITCHES.map((name) => values[name]).filter((value) => value !== null);
  values.CROSSBRIDGE_PROFILING_BACKEND ??= values.CROSSBRIDGE_DB_HOST ? 'postgres' : 'local';
  return {
    enabled: switches.length > 0 && switches.every(Boolean),
    projectRoot,
    spoolPath: resolve(projectRoot, values.CROSSBRIDGE_SPOOL_DIR),
    values,
  };
}

/** @param {Environ} environ @param {string} projectRoot @returns {Map<string, string>} */
function settingsTexts(environ, projectRoot) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const place of [environ, parse(fileText(join(projectRoot, '.env')))]) {
    const switched = SWITCHES.some((name) => found.has(name));
    for (const [name] of SETTINGS) {
      const text = name === PASSWORD ? place[name] : trim(place[name] ?? '');
      // The two switches are one setting: a place that sets either overrides both in the places behind it.
      if (text && !(SWITCHES.includes(name) ? switched : found.has(name))) found.set(name, text);
    }
  }
  return found;
}

/** @param {string} path */
function fileText(path) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return '';
    throw new ConfigError(`.env cannot be read (${message}). Mend or remove it.`);
  }
}
