/** Names that are the same from run to run and carry no secret: `spec/identity.md`. */
import { trim } from './text.js';

const ADDRESS = / at 0x[0-9A-Fa-f]+/g;
const JAVA_HASH = /(?<=[\p{L}\p{N}_$;])@(?=[a-f]*[0-9])[0-9a-f]{5,8}(?![\p{L}\p{N}_.@-])/gu;

const AUTHORITY = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?\/\/([^/]*)(.*)$/s;
const OPAQUE = /^([A-Za-z][A-Za-z0-9+.-]*):(?![0-9]+(?:\/|$))/;
/** @type {Record<string, string>} */
const DEFAULT_PORTS = { http: ':80', ws: ':80', https: ':443', wss: ':443' };

const UUID = String.raw`\{?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}?`;
const NUMBER = '[0-9]+(?:[-.:,_][0-9]+)*';
const HEX = '(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{16,}';
const BASE32 = '(?=[A-Z]*[0-9])[0-9A-Z]{20,}';
const TOKEN = '(?=[^0-9]*[0-9])(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[A-Za-z0-9_.~=-]{20,}';
const PERSON = String.raw`[^\n]+(?:@|%40)[^\n]+`;
const ID = new RegExp(String.raw`^(?:${[UUID, NUMBER, HEX, BASE32, TOKEN, PERSON].join('|')})(?=\.[A-Za-z]{1,5}$|$)`);
const NUMBERED = /^([A-Za-z]+[-_])[0-9]{2,}$/;

/**
 * Return a framework's name for a test without addresses of objects and without the project's own folder.
 * @param {string} raw
 * @param {string} projectRoot absolute path
 */
export function testId(raw, projectRoot) {
  let name = raw;
  if (projectRoot.length > 1 && name.includes(projectRoot)) name = withoutRoot(name, projectRoot.replace(/\/+$/, ''));
  if (name.includes('0x')) name = name.replace(ADDRESS, ' at 0x');
  if (name.includes('@')) name = name.replace(JAVA_HASH, '@');
  return name;
}

/**
 * Return host and path template of a URL: no scheme, user, query or fragment; ids in the path are `{id}`.
 * @param {string} url
 */
export function endpoint(url) {
  const bare = trim(url).split(/[?#]/, 1)[0];
  const authority = AUTHORITY.exec(bare);
  if (authority) {
    const scheme = (authority[1] ?? '').toLowerCase();
    if (scheme === 'file') return 'file:';
    const port = DEFAULT_PORTS[scheme] ?? '';
    const host = behindLastAt(authority[2]).toLowerCase();
    return (port && host.endsWith(port) ? host.slice(0, -port.length) : host) + pathTemplate(authority[3] || '/');
  }
  const opaque = OPAQUE.exec(bare);
  if (opaque) return opaque[0].toLowerCase(); // data:, blob:, about:, mailto: what follows is content
  const slash = bare.indexOf('/');
  return slash < 0 ? behindLastAt(bare) : behindLastAt(bare.slice(0, slash)) + pathTemplate(bare.slice(slash));
}

/** @param {string} raw @param {string} root */
function withoutRoot(raw, root) {
  const escaped = root.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  const whole = new RegExp(String.raw`(?<![\p{L}\p{N}_.~/\-])${escaped}(?:(\/)|(?![\p{L}\p{N}_.\-]))`, 'gu');
  return raw.replace(whole, (_, slash) => (slash ? '' : '.'));
}

/** @param {string} host */
function behindLastAt(host) {
  return host.slice(host.lastIndexOf('@') + 1);
}

/** @param {string} path */
function pathTemplate(path) {
  return path.split('/').map(partTemplate).join('/');
}

/** @param {string} part of a path between two `/` */
function partTemplate(part) {
  const bare = part.split(';', 1)[0];
  const id = ID.exec(bare);
  if (id) return `{id}${bare.slice(id[0].length)}`;
  const numbered = NUMBERED.exec(bare);
  return numbered ? `${numbered[1]}{id}` : bare;
}
