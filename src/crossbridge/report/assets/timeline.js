// The timeline of a run's workers, on a canvas: 20,000 tests are drawn in one go. Mouse, touch and keyboard read it.

const FAILING = new Set(['failed', 'error', 'interrupted']);
const AXIS_PX = 24;

function makeTimeline(mount, attempts, lanes, wallUs, onOpen) {
  const rows = attempts.start_us.length;
  // Attempts stand lane by lane, each lane's in the order in which they began.
  const bounds = lanes.map(() => [0, 0]);
  for (let row = 0; row < rows; row += 1) {
    const bound = bounds[attempts.lane[row]];
    if (bound[1] === 0) bound[0] = row;
    bound[1] = row + 1;
  }
  const rowPx = lanes.length <= 12 ? 26 : lanes.length <= 30 ? 18 : 12;
  const view = { from: 0, to: Math.max(1, wallUs) };
  let selected = -1;
  let drag = null;
  let size = { width: 0, gutter: 0 };

  const hint = 'Point at a test, or focus the timeline and use the arrow keys. Drag to zoom in, double-click to see all.';
  const readout = element('p', { class: 'readout', role: 'status' }, hint);
  const canvas = element('canvas', {
    tabindex: '0', role: 'application', 'aria-roledescription': 'timeline',
    'aria-label': `Timeline of ${counted(rows, 'test')} on ${counted(lanes.length, 'worker')}. Arrow keys go from test to test, plus and minus zoom, 0 shows all, Enter finds the test in the table.`,
  });
  const button = (label, text, action) => element('button', { type: 'button', class: 'quiet', 'aria-label': label, onclick: action }, text);
  const present = attempts.statuses.filter((_, place) => attempts.status.includes(place));
  mount.append(element('div', { class: 'card lanes' },
    element('div', { class: 'tools' },
      button('Zoom in', 'Zoom in', () => zoom(0.5)), button('Zoom out', 'Zoom out', () => zoom(2)), button('Show all', 'Show all', () => show(0, wallUs)),
      element('ul', { class: 'legend', style: null }, ...present.map((status) => element('li', {}, statusElement(status))),
        element('li', {}, element('span', { class: 'mark idle', 'aria-hidden': 'true' }), 'idle'))),
    canvas, readout));
  canvas.style.height = `${AXIS_PX + lanes.length * rowPx}px`;

  const x = (us) => size.gutter + ((us - view.from) / (view.to - view.from)) * (size.width - size.gutter);
  const time = (px) => view.from + ((px - size.gutter) / (size.width - size.gutter)) * (view.to - view.from);

  // The first attempt of a lane that begins after `us`.
  function after(lane, us) {
    let [low, high] = bounds[lane];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (attempts.start_us[middle] <= us) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function draw() {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    const scale = devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    size = { width, gutter: Math.min(width < 500 ? 84 : 150, 20 + Math.max(...lanes.map((lane) => lane.name.length)) * 8) };
    const context = canvas.getContext('2d');
    context.scale(scale, scale);
    context.clearRect(0, 0, width, height);
    context.font = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
    const inks = Object.fromEntries(['ink', 'muted', 'line', 'sunk', 'accent', ...attempts.statuses].map((name) => [name, colour(name)]));
    drawAxis(context, inks, height);
    lanes.forEach((lane, place) => drawLane(context, inks, lane, place));
    if (drag && Math.abs(drag.at - drag.from) > 3) {
      context.fillStyle = withAlpha(inks.accent, 0.2);
      context.fillRect(Math.min(drag.from, drag.at), AXIS_PX, Math.abs(drag.at - drag.from), height - AXIS_PX);
    }
  }

  function drawAxis(context, inks, height) {
    const most = Math.max(2, Math.floor((size.width - size.gutter) / 110));
    const step = niceStep((view.to - view.from) / most);
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    for (let us = Math.ceil(view.from / step) * step; us <= view.to; us += step) {
      context.fillStyle = inks.line;
      context.fillRect(Math.round(x(us)), 6, 1, height - 6);
      context.fillStyle = inks.muted;
      if (x(us) < size.width - 52) context.fillText(us === 0 ? '0' : tick(us), x(us) + 5, AXIS_PX / 2);
    }
  }

  function drawLane(context, inks, lane, place) {
    const top = AXIS_PX + place * rowPx;
    context.fillStyle = inks.sunk;
    context.fillRect(x(Math.max(0, view.from)), top + 2, x(Math.min(wallUs, view.to)) - x(Math.max(0, view.from)), rowPx - 4);
    context.fillStyle = inks.muted;
    context.textAlign = 'right';
    if (rowPx > 10) context.fillText(fit(context, visible(lane.name), size.gutter - 12), size.gutter - 8, top + rowPx / 2 + 0.5);
    const last = after(place, view.to);
    for (let row = Math.max(bounds[place][0], after(place, view.from) - 1); row < last; row += 1) drawTest(context, inks, row, top);
  }

  function drawTest(context, inks, row, top) {
    const status = attempts.statuses[attempts.status[row]];
    const left = Math.max(size.gutter, x(attempts.start_us[row]));
    const right = Math.min(size.width, x(attempts.start_us[row] + attempts.duration_us[row]));
    if (right < size.gutter) return;
    const width = Math.max(1, right - left - (right - left > 4 ? 1 : 0)); // a hair between neighbours
    const lift = FAILING.has(status) ? 0 : rowPx > 16 ? 3 : 1.5; // failing tests stand out by height too
    context.fillStyle = inks[status];
    context.fillRect(left, top + 1 + lift, width, rowPx - 2 - 2 * lift);
    if (row !== selected) return;
    context.strokeStyle = inks.ink;
    context.lineWidth = 2;
    context.strokeRect(left - 1, top + 1, width + 2, rowPx - 2);
  }

  function at(px, py) {
    const lane = Math.floor((py - AXIS_PX) / rowPx);
    if (lane < 0 || lane >= lanes.length || px < size.gutter) return -1;
    const slackUs = Math.abs(time(px + 2) - time(px));
    const row = after(lane, time(px) + slackUs) - 1;
    if (row < bounds[lane][0]) return -1;
    return attempts.start_us[row] + attempts.duration_us[row] + slackUs >= time(px) ? row : -1;
  }

  function tell(row) {
    if (row < 0) {
      readout.textContent = hint;
      return;
    }
    const attempt = attempts.attempt[row] > 1 ? `, attempt ${attempts.attempt[row]}` : '';
    readout.replaceChildren(
      element('b', {}, element('bdi', {}, visible(attempts.names[attempts.name[row]]))), ` ${attempts.statuses[attempts.status[row]]}${attempt} · `,
      `${duration(attempts.duration_us[row])} from ${duration(attempts.start_us[row])} on ${visible(lanes[attempts.lane[row]].name)}`);
  }

  function show(from, to) {
    const length = Math.min(wallUs, Math.max(to - from, Math.min(wallUs, 50)));
    view.from = Math.max(0, Math.min(from, wallUs - length));
    view.to = view.from + Math.max(1, length);
    draw();
  }

  function zoom(factor, around) {
    const middle = around ?? (selected >= 0 ? attempts.start_us[selected] + attempts.duration_us[selected] / 2 : (view.from + view.to) / 2);
    show(middle - (middle - view.from) * factor, middle + (view.to - middle) * factor);
  }

  function select(row) {
    selected = row;
    tell(row);
    if (row >= 0) {
      const [from, to] = [attempts.start_us[row], attempts.start_us[row] + attempts.duration_us[row]];
      const length = view.to - view.from;
      if (to < view.from || from > view.to) {
        show((from + to - length) / 2, (from + to + length) / 2);
        return;
      }
    }
    draw();
  }

  function step(key) {
    if (selected < 0) return bounds[0][0];
    const lane = attempts.lane[selected];
    if (key === 'ArrowLeft') return Math.max(bounds[lane][0], selected - 1);
    if (key === 'ArrowRight') return Math.min(bounds[lane][1] - 1, selected + 1);
    const other = Math.min(lanes.length - 1, Math.max(0, lane + (key === 'ArrowDown' ? 1 : -1)));
    return Math.min(bounds[other][1] - 1, Math.max(bounds[other][0], after(other, attempts.start_us[selected]) - 1));
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener('pointermove', (event) => {
    const [px, py] = place(event);
    if (drag) {
      drag.at = px;
      draw();
    } else tell(Math.max(at(px, py), -1) >= 0 ? at(px, py) : selected);
  });
  canvas.addEventListener('pointerleave', () => { if (!drag) tell(selected); });
  canvas.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch') return;
    const [px] = place(event);
    drag = { from: px, at: px };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointerup', (event) => {
    if (!drag) return;
    const { from, at: to } = drag;
    drag = null;
    if (Math.abs(to - from) > 3) show(time(Math.min(from, to)), time(Math.max(from, to)));
    else select(at(...place(event)));
  });
  canvas.addEventListener('click', (event) => { if (event.pointerType === 'touch') select(at(...place(event))); });
  canvas.addEventListener('dblclick', () => show(0, wallUs));
  canvas.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, time(place(event)[0]));
  }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key.startsWith('Arrow')) select(step(event.key));
    else if (event.key === '+' || event.key === '=') zoom(0.5);
    else if (event.key === '-') zoom(2);
    else if (event.key === '0') show(0, wallUs);
    else if (event.key === 'Enter' && selected >= 0) onOpen(attempts.names[attempts.name[selected]]);
    else if (event.key === 'Escape') select(-1);
    else return;
    event.preventDefault();
  });
  charts.push(draw);
  draw();
}

function fit(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

// 1, 2 or 5 of a power of ten below a minute; whole minutes and hours above.
function niceStep(us) {
  const steps = [6e7, 1.2e8, 3e8, 6e8, 9e8, 1.8e9, 3.6e9, 7.2e9, 1.44e10, 2.16e10, 4.32e10, 8.64e10];
  if (us > 3e7) return steps.find((step) => step >= us) ?? Math.ceil(us / 8.64e10) * 8.64e10;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, us)));
  return Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= us));
}

function tick(us) {
  if (us >= 6e7) return duration(us);
  const [unit, per] = us >= 1e6 ? ['s', 1e6] : us >= 1e3 ? ['ms', 1e3] : ['µs', 1];
  return `${Number((us / per).toFixed(3))}${NARROW}${unit}`;
}
