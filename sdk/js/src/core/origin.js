/** What a process's segments say about it in their first line (`spec/segment.md`). */
import { readFileSync } from 'node:fs';
import { hostname, release, type } from 'node:os';
import { nowUs } from './clock.js';
import { cleanText } from './sanitise.js';
import { VERSION } from './version.js';

/** Where the count of dropped events stands in a segment, and how wide it is, in bytes. */
export const DROPPED_OFFSET = '{"dropped":'.length;
export const DROPPED_WIDTH = 20;

/**
 * What a process's segments have in common.
 * @typedef {object} Origin
 * @property {string} runId
 * @property {string | null} parent
 * @property {string} framework
 * @property {string | null} frameworkVersion
 * @property {string | null} worker
 * @property {string} environment
 * @property {string | null} appVersion
 * @property {Record<string, string>} labels
 * @property {import('./run_info.js').RunInfo} info
 */

/**
 * Return `segment_start`, line end included.
 * @param {Origin} origin
 * @param {{segmentId: string, writer: string, seq: number, dropped: number}} segment
 */
export function firstLine(origin, { segmentId, writer, seq, dropped }) {
  const start = {
    type: 'segment_start',
    v: 1,
    segment_id: segmentId,
    run_id: origin.runId,
    writer,
    seq,
    parent: origin.parent,
    role: origin.parent ? 'child' : 'main',
    pid: process.pid,
    pid_start: pidStart(),
    host: cleanText(hostname()),
    os: `${type()} ${release()}`,
    runtime: `Node ${process.versions.node}`,
    sdk: `js/${VERSION}`,
    framework: cleanText(origin.framework),
    framework_version: clean(origin.frameworkVersion),
    worker: clean(origin.worker),
    at_us: nowUs(),
    environment: cleanText(origin.environment),
    app_version: clean(origin.appVersion),
    labels: Object.fromEntries(Object.entries(origin.labels).map((pair) => pair.map((text) => cleanText(text)))),
    git_commit: clean(origin.info.git_commit),
    git_branch: clean(origin.info.git_branch),
    ci_provider: origin.info.ci_provider,
    ci_url: clean(origin.info.ci_url),
  };
  return Buffer.from(`{"dropped":${droppedText(dropped)},${JSON.stringify(start).slice(1)}\n`);
}

/** Return the count as it stands in the header, to be overwritten in place. @param {number} dropped */
export function droppedText(dropped) {
  return String(dropped).padEnd(DROPPED_WIDTH);
}

/** @param {string | null} text */
function clean(text) {
  return text === null ? null : cleanText(text);
}

/** Start time of this process in clock ticks since boot; field 22 of /proc/self/stat; null where unknown. */
function pidStart() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    return Number.isInteger(ticks) ? ticks : null;
  } catch {
    return null;
  }
}
