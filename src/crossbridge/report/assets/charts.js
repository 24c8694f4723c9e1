// Trends, drawn by uPlot. Each chart tells the figures under the pointer in a line below, and stands as a table as well.

const charts = []; // functions that draw a chart anew: for another theme, another width, print

function withAlpha(rgb, alpha) {
  return rgb.replace('rgb(', 'rgba(').replace(')', `, ${alpha})`);
}

/*
 * A bar chart of stacked series: labels: of the x axis; series: [{label, colour name, values}]; format: of a value;
 * tell(index): what the line below says; mark: the index to set off, or -1.
 */
function barChart(mount, { title, labels, series, format, tell, rest, mark = -1 }) {
  const plot = element('div', { class: 'plot', role: 'img', 'aria-label': `${title}. The figures are in the table below.` });
  const readout = element('p', { class: 'readout' }, rest);
  const legend = element('ul', { class: 'legend' }, ...series.map(({ label, colour: shade }) =>
    element('li', {}, element('span', { class: `mark ${shade}`, 'aria-hidden': 'true' }), label)));
  mount.append(element('div', { class: 'card chart' }, element('h3', {}, title), legend, plot, readout));
  const stacked = [];
  const sums = labels.map(() => 0);
  for (const { values } of series) stacked.push(values.map((value, place) => (sums[place] += value ?? 0)));

  let chart = null;
  const draw = () => {
    chart?.destroy();
    const [ink, line] = [colour('muted'), colour('line')];
    const bars = uPlot.paths.bars({ size: [0.72, 34], radius: 0.12 });
    const font = '12px system-ui, sans-serif';
    const layers = series.map((one, place) => ({ ...one, data: stacked[place] })).reverse(); // the tallest behind
    chart = new uPlot({
      width: Math.max(200, plot.clientWidth), height: 210, legend: { show: false },
      padding: [10, 6, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: [-0.6, labels.length - 0.4] },
        y: { range: (_, _low, high) => [0, (high || 1) * 1.08] },
      },
      axes: [
        {
          stroke: ink, font, grid: { show: false }, ticks: { show: false }, size: 26, gap: 6,
          splits: () => spread(labels.length, Math.max(2, Math.floor(plot.clientWidth / 90))), values: (_, places) => places.map((place) => labels[place] ?? ''),
        },
        {
          stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, gap: 6,
          size: (_, values) => (values ? Math.max(36, ...values.map((value) => value.length * 7 + 12)) : 36),
          values: (_, values) => values.map(format),
        },
      ],
      series: [
        {},
        ...layers.map((layer) => ({
          label: layer.label, paths: bars, points: { show: false }, width: 0,
          fill: colour(layer.colour), stroke: colour(layer.colour),
        })),
      ],
      hooks: {
        setCursor: [(made) => { readout.textContent = made.cursor.idx === null || made.cursor.left < 0 ? rest : tell(made.cursor.idx); }],
        drawClear: [(made) => {
          if (mark < 0) return;
          const step = made.valToPos(1, 'x', true) - made.valToPos(0, 'x', true);
          const wide = Math.min(step, 60 * devicePixelRatio);
          made.ctx.fillStyle = withAlpha(colour('accent'), 0.1);
          made.ctx.fillRect(made.valToPos(mark, 'x', true) - wide / 2, made.bbox.top, wide, made.bbox.height);
        }],
      },
    }, [labels.map((_, place) => place), ...layers.map((layer) => layer.data)], plot);
  };
  charts.push(draw);
  draw();
}

// At most `most` of the places 0 to count - 1, evenly, the last among them.
function spread(count, most) {
  const step = Math.max(1, Math.ceil(count / most));
  const places = [];
  for (let place = count - 1; place >= 0; place -= step) places.unshift(place);
  return places;
}
