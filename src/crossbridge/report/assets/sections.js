// Puts the data into the page's sections, and wires theme, print and navigation.

const data = JSON.parse(document.getElementById('data').textContent);
const mounts = Object.fromEntries([...document.querySelectorAll('[data-mount]')].map((mount) => [mount.dataset.mount, mount]));
const isRun = data.run !== null;
const sum = (values) => values.reduce((whole, value) => whole + value, 0);

/* ---- failures ---- */

const GROUPS_SHOWN = 10;
const CASES_SHOWN = 10;

function showFailures() {
  const { failures, failed_tests: whole } = data;
  if (!failures.length) {
    const some = sum(data.totals.map((total) => total.attempts)) > 0;
    mounts.failures.append(some ? empty('No failure.', 'Nothing failed, broke or was interrupted.') : empty('No test yet.'));
    return;
  }
  const shown = sum(failures.map((group) => group.tests.length));
  const card = element('div', { class: 'card' });
  mounts.failures.append(card);
  growing(card, failures, GROUPS_SHOWN, groupElement, 'error');
  if (shown < whole) card.append(element('p', { class: 'none' }, `The first ${number(shown)} of ${counted(whole, 'failing test')} are shown.`));
  const first = card.querySelector('details');
  if (failures.length > 3) return;
  first.fill();
  first.open = true;
}

// Append the first `most` items, and a button that appends as many more each time.
function growing(parent, items, most, make, noun) {
  let shown = 0;
  const more = element('button', { type: 'button', class: 'quiet more', onclick: () => grow(true) });
  function grow(byHand) {
    const next = items.slice(shown, shown + most).map(make);
    shown += next.length;
    more.remove();
    parent.append(...next);
    if (shown < items.length) {
      more.textContent = `Show more (${counted(items.length - shown, noun)} left)`;
      parent.append(more);
    }
    if (byHand) (next[0].querySelector('summary') ?? next[0]).focus();
  }
  grow(false);
}

function groupElement(group) {
  const made = element('details', { class: 'group' },
    element('summary', {},
      element('span', { class: 'turn', 'aria-hidden': 'true' }, '›'),
      element('span', { class: 'tally' }, `${number(group.tests.length)}×`),
      element('span', { class: 'what' }, element('b', {}, visible(group.error_type || 'No error type')),
        element('code', {}, visible(group.line || 'no message')))));
  made.addEventListener('toggle', () => fillGroup(made, group));
  made.fill = () => fillGroup(made, group);
  return made;
}

function fillGroup(made, group) {
  if (made.querySelector('.cases')) return;
  const cases = element('div', { class: 'cases' });
  const alone = group.messages.length === 1;
  if (alone && ![group.line, `${group.error_type}: ${group.line}`].includes(group.messages[0].trim())) cases.append(messageElement(group.messages[0]));
  growing(cases, group.tests, CASES_SHOWN, (test) => caseElement(test, alone ? null : group.messages[test.message], alone), 'test');
  made.append(cases);
}

const messageElement = (message) => element('pre', { tabindex: '0' }, message.split('\n').map(visible).join('\n'));

function caseElement(test, message, alone) {
  const aside = [test.note || duration(test.duration_us), test.status === 'failed' ? '' : test.status, test.attempt > 1 ? `attempt ${test.attempt}` : ''];
  const head = element('summary', {},
    element('span', { class: 'turn', 'aria-hidden': 'true' }, message ? '›' : ''), nameElement(test.test_id, test.framework),
    element('span', { class: 'aside' }, aside.filter(Boolean).join(' · ')));
  const body = message ? messageElement(message)
    : element('p', { class: 'muted' }, alone ? 'The message stands above.' : 'The message is left out: the report has room for 2 MB of them.');
  return element('details', {}, head, body);
}

/* ---- trend ---- */

const TROUBLE = [['failed', 'failed'], ['error', 'error'], ['interrupted', 'interrupted']];

function showTrend() {
  const { trend } = data;
  const what = isRun ? 'run' : trend.length > 1 && new Date(trend[1].started_at) - new Date(trend[0].started_at) < 864e5 ? 'hour' : 'day';
  if (trend.length < 2) {
    mounts.trend.append(empty(`No ${what} to compare with.`, isRun ? 'A trend begins with the second run of an environment and branch.' : ''));
    return;
  }
  const days = new Set(trend.map((one) => one.started_at.slice(0, 10)));
  const labels = trend.map((one) => (what === 'hour' || days.size === 1 ? one.started_at.slice(11, 16) : one.started_at.slice(5, 10)));
  const holder = element('div', { class: 'charts' });
  mounts.trend.append(holder);
  const when = (one) => (what === 'day' ? one.started_at.slice(0, 10) : moment(one.started_at));
  const who = (one) => (isRun ? ` · ${one.run_id.slice(0, 13)}${one.git_commit ? ` · ${visible(one.git_commit.slice(0, 10))}` : ''}` : '');
  const troubled = (one) => sum(TROUBLE.map(([status]) => one[status]));
  const tell = (place) => {
    const one = trend[place];
    return `${when(one)}${who(one)}: ${number(troubled(one))} of ${counted(one.attempts, 'attempt')} failed, ${duration(took(one))}`;
  };
  const took = (one) => (isRun ? one.duration_us : one.total_us);
  const mark = isRun ? trend.length - 1 : -1;
  const rest = isRun ? `${counted(trend.length, 'run')}; the last is this one.` : `${counted(trend.length, what)}.`;
  const failing = { title: `Failed attempts a ${what}`, labels, format: (value) => number(value), tell, rest, mark };
  if (trend.some(troubled)) {
    const series = TROUBLE.map(([label, shade]) => ({ label, colour: shade, values: trend.map((one) => one[label]) }));
    barChart(holder, { ...failing, series: series.filter((one) => sum(one.values)) });
  } else {
    holder.append(element('div', { class: 'card chart' }, element('h3', {}, failing.title), element('p', { class: 'legend' }),
      element('div', { class: 'plot bare' }, `No failure in ${counted(trend.length, what)}.`), element('p', { class: 'readout' }, rest)));
  }
  const [unit, per] = unitOf(Math.max(...trend.map((one) => took(one) ?? 0)));
  barChart(holder, {
    title: isRun ? 'Wall time a run' : `Test time a ${what}`, labels, tell, rest, mark,
    format: (value) => `${Number(value.toFixed(3)).toLocaleString('en-US')}${NARROW}${unit}`,
    series: [{ label: 'took', colour: 'part-a', values: trend.map((one) => (took(one) ?? 0) / per) }],
  });
  const view = element('div');
  mounts.trend.append(element('details', { class: 'table-view' }, element('summary', {}, 'Show as a table'), view));
  makeTable(view, {
    caption: 'Trend', noun: what, count: trend.length, sort: [0, true],
    columns: [
      { label: 'Began', left: true, value: (row) => trend[row].started_at, show: (row) => when(trend[row]) },
      ...(isRun ? [{ label: 'Run', left: true, show: (row) => trend[row].run_id.slice(0, 13) }, { label: 'Status', left: true, value: (row) => trend[row].status, show: (row) => trend[row].status }] : []),
      ...['attempts', 'passed', 'failed', 'error', 'skipped', 'interrupted'].map((name) => figure(name[0].toUpperCase() + name.slice(1), (row) => trend[row][name])),
      { label: isRun ? 'Wall time' : 'Test time', value: (row) => took(trend[row]), show: (row) => duration(took(trend[row])) },
    ],
  });
}

const unitOf = (us) => (us >= 7.2e9 ? ['h', 3.6e9] : us >= 1.2e8 ? ['min', 6e7] : us >= 1e6 ? ['s', 1e6] : ['ms', 1e3]);
const figure = (label, value) => ({ label, value, show: (row) => number(value(row)) });
const time = (label, value, more = {}) => ({ label, value, show: (row) => duration(value(row)), ...more });

/* ---- tests ---- */

let tests = null;

function showTests() {
  if (isRun) showAttempts();
  else showRanked();
}

function showAttempts() {
  const { attempts, lanes } = data;
  const count = attempts.name.length;
  if (!count) {
    mounts.tests.append(empty('No test of this run has ended.', data.running.length ? `${counted(data.running.length, 'test')} in flight.` : ''));
    return;
  }
  const name = (row) => attempts.names[attempts.name[row]];
  const framework = (row) => attempts.frameworks[attempts.framework[row]];
  const status = (row) => attempts.statuses[attempts.status[row]];
  const some = (column) => attempts[column].some((value) => value !== null);
  tests = makeTable(mounts.tests, {
    caption: 'Attempts of tests', noun: attempts.attempt.some((value) => value > 1) ? 'attempt' : 'test', count, sort: [0, true], text: name,
    select: { label: 'Status', all: 'All statuses', choices: attempts.statuses, value: status },
    columns: [
      time('Duration', (row) => attempts.duration_us[row], { bar: true }),
      { label: 'Status', left: true, value: status, show: (row) => statusElement(status(row)) },
      { label: 'Test', left: true, wide: true, value: name, show: (row) => nameElement(name(row), framework(row)) },
      ...(attempts.attempt.some((value) => value > 1) ? [figure('Attempt', (row) => attempts.attempt[row])] : []),
      ...(some('setup_us') ? [time('Set-up', (row) => attempts.setup_us[row])] : []),
      ...(some('teardown_us') ? [time('Tear-down', (row) => attempts.teardown_us[row])] : []),
      ...(attempts.frameworks.length > 1 ? [{ label: 'Framework', left: true, value: framework, show: framework }] : []),
      ...(lanes.length > 1 ? [{ label: 'Worker', left: true, value: (row) => lanes[attempts.lane[row]].name, show: (row) => visible(lanes[attempts.lane[row]].name) }] : []),
    ],
  });
  if (!data.complete) mounts.tests.append(element('p', { class: 'none' }, `The longest ${number(count)} attempts are shown.`));
}

function showRanked() {
  const { ranked } = data;
  if (!ranked.length) {
    mounts.tests.append(empty('No test ended in this time.'));
    return;
  }
  const several = new Set(ranked.map((test) => test.framework)).size > 1;
  tests = makeTable(mounts.tests, {
    caption: 'Tests by what their attempts took together', noun: 'test', count: ranked.length, sort: [0, true], text: (row) => ranked[row].test_id,
    columns: [
      time('Total', (row) => ranked[row].total_us, { bar: true }),
      { label: 'Share', value: (row) => ranked[row].share, show: (row) => percent(ranked[row].share, 1) },
      { label: 'Test', left: true, wide: true, value: (row) => ranked[row].test_id, show: (row) => nameElement(ranked[row].test_id, ranked[row].framework) },
      ...(several ? [{ label: 'Framework', left: true, value: (row) => ranked[row].framework, show: (row) => ranked[row].framework }] : []),
      time('Average', (row) => ranked[row].average_us),
      time('p50', (row) => ranked[row].p50_us),
      time('p95', (row) => ranked[row].p95_us),
      time('Longest', (row) => ranked[row].max_us),
      figure('Attempts', (row) => ranked[row].attempts),
      figure('Failed', (row) => ranked[row].failed),
    ],
  });
}

/* ---- where the time goes ---- */

function showTime() {
  const { breakdown: b } = data;
  if (!b.total_us) {
    mounts.time.append(empty('No test time yet.'));
    return;
  }
  const split = element('div', { class: 'split' });
  mounts.time.append(split);
  split.append(shares('By phase', 'Phase', [['Call', b.call_us, 'a'], ['Set-up', b.setup_us, 'b'], ['Tear-down', b.teardown_us, 'c']]));
  split.append(shares('By activity', 'Activity', [
    ['HTTP calls', b.http_us, 'a'], ['Browser commands', b.driver_us, 'b'], ['Other time in steps', b.step_us, 'c'], ['Outside steps', b.other_us, 'd'],
  ]));
  if (data.lanes.length) {
    split.append(shares(`By worker, ${counted(data.lanes.length, 'worker')} together`, 'Workers were', [
      ['Running tests', sum(data.lanes.map((lane) => lane.busy_us)), 'a'], ['Waiting', sum(data.lanes.map((lane) => lane.idle_us)), 'd'],
    ]));
  }
  const steps = data.parts.filter((part) => part.kind === 'step');
  if (!steps.length) return;
  mounts.time.append(element('h3', { class: 'sub' }, 'Steps'));
  partTable(mounts.time, steps, 'step', 'Step');
}

function shares(title, column, rows) {
  const whole = sum(rows.map(([, us]) => us));
  const bar = element('div', { class: 'parts', 'aria-hidden': 'true' });
  for (const [, us, shade] of rows) {
    if (!us) continue;
    const part = element('span', { class: shade });
    part.style.flexGrow = us / whole;
    bar.append(part);
  }
  return element('div', { class: 'card' }, element('h3', {}, title), bar,
    element('table', { class: 'shares' },
      element('caption', { class: 'hidden' }, title),
      element('thead', { class: 'hidden' }, element('tr', {}, ...[column, 'Time', 'Share'].map((head) => element('th', { scope: 'col' }, head)))),
      element('tbody', {}, ...rows.map(([label, us, shade]) => element('tr', {},
        element('td', {}, element('span', { class: `mark ${shade}`, 'aria-hidden': 'true' }), label),
        element('td', {}, us ? duration(us) : '–'), element('td', {}, us ? percent(us, whole) : '–'))))));
}

function partTable(mount, parts, noun, label) {
  const several = new Set(parts.map((part) => part.framework)).size > 1;
  makeTable(mount, {
    caption: `${label}s by the time they took together`, noun, count: parts.length, sort: [0, true], text: (row) => parts[row].name,
    columns: [
      time('Total', (row) => parts[row].total_us, { bar: true }),
      { label, left: true, wide: true, value: (row) => parts[row].name, show: (row) => element('bdi', { class: 'name' }, visible(parts[row].name)) },
      ...(several ? [{ label: 'Framework', left: true, value: (row) => parts[row].framework, show: (row) => parts[row].framework }] : []),
      figure('Calls', (row) => parts[row].calls),
      { label: 'Failed', value: (row) => parts[row].failed / parts[row].calls, show: (row) => (parts[row].failed ? `${number(parts[row].failed)} (${percent(parts[row].failed, parts[row].calls)})` : '–') },
      time('Average', (row) => parts[row].average_us),
      time('p95', (row) => parts[row].p95_us),
      time('Longest', (row) => parts[row].max_us),
    ],
  });
}

function showCalls(kind, noun, label, strong, text) {
  const parts = data.parts.filter((part) => part.kind === kind);
  if (parts.length) partTable(mounts[kind], parts, noun, label);
  else mounts[kind].append(empty(strong, text));
}

/* ---- workers ---- */

function showWorkers() {
  if (!mounts.workers) return;
  const { lanes, attempts, wall_us: wallUs } = data;
  if (!lanes.length) {
    mounts.workers.append(empty('No timeline yet.', 'It begins when the first test ends.'));
    return;
  }
  makeTimeline(mounts.workers, attempts, lanes, wallUs, (name) => {
    tests.showOnly(name);
    document.getElementById('tests').scrollIntoView();
  });
  mounts.workers.append(element('h3', { class: 'sub' }, 'Busy and idle'));
  makeTable(mounts.workers, {
    caption: 'Workers', noun: 'worker', count: lanes.length, text: (row) => lanes[row].name,
    columns: [
      { label: 'Worker', left: true, wide: true, value: (row) => row, show: (row) => visible(lanes[row].name) },
      figure('Tests', (row) => lanes[row].tests),
      time('Busy', (row) => lanes[row].busy_us, { bar: true }),
      time('Idle', (row) => lanes[row].idle_us),
      { label: 'Busy share', value: (row) => lanes[row].busy_us, show: (row) => percent(lanes[row].busy_us, wallUs) },
      time('Longest gap', (row) => lanes[row].longest_gap_us),
      time('Gap began at', (row) => (lanes[row].longest_gap_us ? lanes[row].longest_gap_start_us : null)),
    ],
  });
}

/* ---- flaky ---- */

function showFlaky() {
  const { retried, flaky } = data;
  if (retried.length) {
    mounts.flaky.append(element('h3', { class: 'sub' }, 'Passed only when retried, in this run'));
    makeTable(mounts.flaky, {
      caption: 'Tests of this run that passed only when retried', noun: 'test', count: retried.length, text: (row) => retried[row].test_id,
      columns: [
        { label: 'Test', left: true, wide: true, value: (row) => retried[row].test_id, show: (row) => nameElement(retried[row].test_id, retried[row].framework) },
        figure('Failed', (row) => retried[row].failed_attempts),
        figure('Attempts', (row) => retried[row].attempts),
        { label: 'Error', left: true, wide: true, value: (row) => retried[row].error_type, show: (row) => visible([retried[row].error_type, (retried[row].error_message ?? '').split('\n')[0]].filter(Boolean).join(': ').slice(0, 300)) },
      ],
    });
  }
  if (!flaky.length) {
    if (!retried.length) mounts.flaky.append(empty('No flaky test.', 'No test both passed and failed with the same code.'));
    return;
  }
  if (isRun) mounts.flaky.append(element('h3', { class: 'sub' }, `In the last 30 days${data.run.environment ? `, environment ${visible(data.run.environment)}` : ''}`));
  const at = (row) => flaky[row].test;
  makeTable(mounts.flaky, {
    caption: 'Flaky tests', noun: 'test', count: flaky.length, text: (row) => at(row).test_id,
    columns: [
      { label: 'Test', left: true, wide: true, value: (row) => at(row).test_id, show: (row) => nameElement(at(row).test_id, at(row).framework) },
      { label: 'Latest runs, oldest first', left: true, show: (row) => historyElement(flaky[row].outcomes) },
      { label: 'Disturbed', value: (row) => at(row).score, show: (row) => `${number(at(row).flips)} of ${number(at(row).runs)}` },
      { label: 'At least', value: (row) => at(row).flip_rate_low, show: (row) => percent(at(row).flip_rate_low, 1) },
      { label: 'Evidence', left: true, show: (row) => evidence(at(row)) },
      time('Time lost', (row) => at(row).lost_us),
      { label: 'Last', value: (row) => at(row).last_flaked_at, show: (row) => at(row).last_flaked_at.slice(0, 10) },
    ],
  });
  const used = [...new Set(flaky.flatMap((one) => one.outcomes))];
  mounts.flaky.append(element('ul', { class: 'legend' }, ...used.map((outcome) => element('li', {}, statusElement(outcome), outcome === 'flaky' ? ' (passed when retried)' : ''))));
}

const evidence = (test) => [
  test.retried_runs ? `retried in ${counted(test.retried_runs, 'run')}` : '', test.commits ? `both ways of ${counted(test.commits, 'commit')}` : '',
].filter(Boolean).join(', ');

function historyElement(outcomes) {
  const tally = new Map();
  for (const outcome of outcomes) tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
  const told = [...tally].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  return element('span', { class: 'history', role: 'img', 'aria-label': `latest ${counted(outcomes.length, 'run')}: ${told}` },
    ...outcomes.map((outcome) => element('span', { class: `cell ${outcome}` })));
}

/* ---- regressions ---- */

const signed = (ratio) => `${ratio >= 1 ? '+' : '−'}${Math.abs(100 * (ratio - 1)).toFixed(1)}${NARROW}%`;

function showRegressions() {
  const { slower, faster, suite, tests: judged, units, unit, since } = data.regressions;
  const mount = mounts.regressions;
  const over = `${counted(judged, 'test')} with enough history, ${counted(units, unit)} since ${since.slice(0, 10)}`;
  if (suite) {
    mount.append(element('p', { class: 'empty' }, element('b', {}, `All tests together: ${signed(suite.ratio)} since ${moment(suite.since_at)}.`),
      ' Other machines, or something every test goes through; single tests are judged beyond that.'));
  }
  if (!slower.length && !faster.length) {
    const note = judged ? `Looked at ${over}.` : 'A test needs at least 8 runs to be judged.';
    mount.append(empty(judged ? 'No test changed its pace.' : 'No test has enough history yet.', note));
    return;
  }
  changeTable(mount, `Slower: ${number(slower.length)}`, slower);
  changeTable(mount, `Faster: ${number(faster.length)}`, faster);
  mount.append(element('p', { class: 'remark' }, `Looked at ${over}.`));
}

function changeTable(mount, title, changes) {
  if (!changes.length) return;
  mount.append(element('h3', { class: 'sub' }, title));
  const commit = (one) => (one.git_commit ? visible(one.git_commit.slice(0, 10)) : '–');
  makeTable(mount, {
    caption: title, noun: 'test', count: changes.length, text: (row) => changes[row].test_id,
    columns: [
      { label: 'Change', value: (row) => changes[row].ratio, show: (row) => element('b', {}, signed(changes[row].ratio)) },
      { label: '95 % interval', show: (row) => `${signed(changes[row].ratio_low)} to ${signed(changes[row].ratio_high)}` },
      { label: 'Test', left: true, wide: true, value: (row) => changes[row].test_id, show: (row) => nameElement(changes[row].test_id, changes[row].framework) },
      time('Before', (row) => changes[row].before_us),
      time('After', (row) => changes[row].after_us),
      { label: 'Since', left: true, value: (row) => changes[row].since_at, show: (row) => moment(changes[row].since_at).slice(0, 16) },
      { label: 'Commit', left: true, show: (row) => commit(changes[row]) },
      { label: 'q-value', value: (row) => changes[row].q_value, show: (row) => (changes[row].q_value < 0.0001 ? '< 0.0001' : changes[row].q_value.toFixed(4)) },
    ],
  });
}

/* ---- theme, print, navigation ---- */

const root = document.documentElement;
const themeButton = document.getElementById('theme');
const darkSystem = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (root.dataset.theme ?? (darkSystem.matches ? 'dark' : 'light')) === 'dark';
const redraw = () => charts.forEach((draw) => draw());

function remembered(value) {
  try { // a file opened from disk may have no storage
    if (value) localStorage.setItem('crossbridge-theme', value);
    return localStorage.getItem('crossbridge-theme');
  } catch {
    return null;
  }
}

function setTheme(theme) {
  if (theme) root.dataset.theme = theme;
  themeButton.textContent = isDark() ? 'Light' : 'Dark';
  themeButton.setAttribute('aria-label', `Switch to the ${isDark() ? 'light' : 'dark'} theme`);
}

themeButton.addEventListener('click', () => {
  setTheme(isDark() ? 'light' : 'dark');
  remembered(root.dataset.theme);
  redraw();
});
darkSystem.addEventListener('change', () => { setTheme(null); redraw(); });
document.getElementById('print').addEventListener('click', () => window.print());

// Canvases are drawn before the print styles hold: paper gets the light theme by hand.
let before = null;
addEventListener('beforeprint', () => {
  before = { theme: root.dataset.theme, opened: [...document.querySelectorAll('details.group:not([open])')].slice(0, 20) };
  for (const group of before.opened) { group.fill(); group.open = true; }
  root.dataset.theme = 'light';
  redraw();
});
addEventListener('afterprint', () => {
  for (const group of before.opened) group.open = false;
  if (before.theme) root.dataset.theme = before.theme;
  else delete root.dataset.theme;
  redraw();
});

let width = innerWidth;
addEventListener('resize', () => {
  if (innerWidth === width) return;
  width = innerWidth;
  requestAnimationFrame(redraw);
});

function followSections() {
  const links = new Map([...document.querySelectorAll('.bar nav a')].map((link) => [link.hash.slice(1), link]));
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) seen[entry.isIntersecting ? 'add' : 'delete'](entry.target.id);
    const current = [...links.keys()].find((id) => seen.has(id));
    for (const [id, link] of links) {
      if (id === current) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  }, { rootMargin: '-64px 0px -55% 0px' });
  for (const section of document.querySelectorAll('main > section')) observer.observe(section);
}

function showAll() {
  showFailures();
  showTrend();
  showTests();
  showTime();
  showWorkers();
  showFlaky();
  showRegressions();
  showCalls('http', 'endpoint', 'Endpoint', 'No HTTP call was recorded.', 'Calls of requests, httpx, urllib3, aiohttp, RestAssured, Playwright and Cypress appear here.');
  showCalls('driver', 'command', 'Command', 'No browser command was recorded.', 'Commands of Selenium appear here.');
  followSections();
}

setTheme(remembered());
root.classList.remove('loading');
if (mounts.failures) showAll(); // an empty database has no sections
