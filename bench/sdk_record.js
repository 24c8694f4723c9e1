/** What `bench/sdk.py` asks: median and p99 of each call in nanoseconds, in blocks that take turns. */
import { openSync, writeSync } from 'node:fs';
import { Collector } from '../sdk/js/src/core/collector.js';
import { encodeLine } from '../sdk/js/src/core/event.js';

const BLOCK = 1000;
const WARM_UP = 30;
const EVENT = {
  type: 'test_end',
  test_id: 'tests/orders.spec.ts › Orders › creates an order [chromium]',
  status: 'passed',
  duration_us: 1234,
  setup_us: 100,
  teardown_us: 50,
  suite: 'Orders',
  file: 'tests/orders.spec.ts',
};

const blocks = Number(process.argv[2]);
const collector = Collector.start({ framework: 'playwright' });
const line = encodeLine(EVENT, Date.now() * 1000);
const floor = openSync('floor', 'a');
const calls = {
  record: () => collector.record(EVENT),
  encode: () => encodeLine(EVENT, 1767348000000100),
  write: () => writeSync(floor, line),
  clock: () => {},
};
const taken = Object.fromEntries(Object.keys(calls).map((name) => [name, []]));
for (let block = -WARM_UP; block < blocks; block += 1) {
  for (const [name, call] of Object.entries(calls)) {
    for (let i = 0; i < BLOCK; i += 1) {
      const before = process.hrtime.bigint();
      call();
      const after = process.hrtime.bigint();
      if (block >= 0) taken[name].push(Number(after - before));
    }
  }
}
for (const [name, ns] of Object.entries(taken)) {
  ns.sort((a, b) => a - b);
  console.log(name, ns[ns.length >> 1], ns[Math.floor(ns.length / 100) * 99]);
}
if (collector.stats.dropped) throw new Error(`not every event was recorded: ${JSON.stringify(collector.stats)}`);
await collector.shutdown('passed');
