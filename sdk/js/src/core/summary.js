/** The one line a run ends with: where its events are. */
import { faults, say } from './guard.js';

/** @type {Record<string, string>} */
const MENDS = { local: "'crossbridge report' delivers and shows them." };
const MEND = "Deliver them with 'crossbridge ingest'.";

/** Say on stderr what became of a run's events; the collector is shut down. @param {import('./collector.js').Collector} collector */
export function sayWhereEventsAre(collector) {
  const { runId, written, spooled, dropped } = collector.stats;
  const sentences = spooled
    ? [
        `${events(spooled)} in ${collector.settings.spoolPath}, ${written ? `${events(written)} delivered, ` : ''}run ${runId}.`,
        MENDS[collector.settings.values.CROSSBRIDGE_PROFILING_BACKEND] ?? MEND,
      ]
    : [`${events(written)} delivered, run ${runId}.`];
  if (dropped) sentences.push(`${count(dropped)} dropped: the spool or its disk did not take them.`);
  if (faults.number) sentences.push(`${count(faults.number)} faults of crossbridge's own, the first: ${faults.first}`);
  say(`crossbridge: ${sentences.join(' ')}`);
}

/** @param {number} number */
function events(number) {
  return `${count(number)} ${number === 1 ? 'event' : 'events'}`;
}

/** @param {number} number */
function count(number) {
  return number.toLocaleString('en-US');
}
