/** Reading `.env`, by the grammar of `spec/dotenv.md`. */
import { trimEnd } from './text.js';

const LINE = new RegExp(
  String.raw`^[^\S\n]*(?:export[^\S\n]+)?(?<name>[A-Za-z_][A-Za-z0-9_]*)[^\S\n]*=[^\S\n]*` +
    String.raw`(?:'(?<single>[^'\n]*)'|"(?<double>(?:[^"\\\n]|\\[^\n])*)"|(?<bare>(?!['"])[^\n]*?))` +
    String.raw`[^\S\n]*(?:(?<=\s)#[^\n]*|(?<=['"=])#[^\n]*)?\r?$`,
);
/** @type {Record<string, string>} */
const ESCAPED = { n: '\n', r: '\r', t: '\t' };

/**
 * Return the assignments of a `.env` file: the last one of a name counts, other lines are passed over.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parse(text) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const line of text.replace(/^\ufeff/, '').split('\n')) {
    const groups = LINE.exec(line)?.groups;
    if (groups) values[groups.name] = value(groups);
  }
  return values;
}

/** @param {Record<string, string | undefined>} groups */
function value(groups) {
  if (groups.single !== undefined) return groups.single;
  if (groups.double !== undefined) return groups.double.replace(/\\([^\n])/gu, (_, char) => ESCAPED[char] ?? char);
  return trimEnd(groups.bare ?? '');
}
