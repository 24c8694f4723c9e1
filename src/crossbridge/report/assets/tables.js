// A table one can sort, filter and page through; only the page shown is in the document.

const PAGE_SIZE = 25;
const sortable = (value) => (typeof value === 'string' ? value.toLowerCase() : value);

/*
 * options: caption; count: rows; columns: [{label, value(row) to sort by, show(row) -> node or text, left, wide, bar}];
 * text(row): what the filter looks at; select: {label, choices, value(row)}; sort: [column, descending]; noun.
 */
function makeTable(mount, options) {
  const { columns, count } = options;
  const all = Array.from({ length: count }, (_, row) => row);
  const state = { rows: all, page: 0, size: PAGE_SIZE, sort: options.sort ?? null, text: '', choice: '' };
  const largest = columns.map((column) => (column.bar ? all.reduce((most, row) => Math.max(most, column.value(row) ?? 0), 0) : 0));
  const lower = options.text ? all.map((row) => options.text(row).toLowerCase()) : null;

  const body = element('tbody');
  const heads = columns.map((column, place) =>
    element('th', { scope: 'col', class: column.left ? 'left' : '' },
      column.value
        ? element('button', { type: 'button', onclick: () => sortBy(place) }, column.label)
        : element('span', {}, column.label)));
  const table = element('table', {},
    element('caption', { class: 'hidden' }, options.caption),
    element('thead', {}, element('tr', {}, ...heads)), body);
  const card = element('div', { class: 'card' });
  const told = element('span', { class: 'count', role: 'status' });
  if (options.text && count > 10) card.append(tools());
  card.append(element('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': options.caption }, table));
  const range = element('span', { class: 'range' });
  const back = element('button', { type: 'button', class: 'quiet', onclick: () => turn(-1) }, 'Previous');
  const on = element('button', { type: 'button', class: 'quiet', onclick: () => turn(1) }, 'Next');
  const pager = element('div', { class: 'pager' }, range);
  if (count > PAGE_SIZE) {
    pager.append(sizes(), back, on);
    card.append(pager);
  }
  mount.append(card);

  function tools() {
    const bar = element('div', { class: 'tools' });
    bar.append(element('input', {
      type: 'search', placeholder: `Filter ${options.noun}s by name`, 'aria-label': `Filter ${options.noun}s by name`, autocomplete: 'off',
      oninput: (event) => { state.text = event.target.value.trim().toLowerCase(); filter(); },
    }));
    if (options.select) {
      const choices = ['', ...options.select.choices];
      bar.append(element('select', {
        'aria-label': options.select.label, onchange: (event) => { state.choice = event.target.value; filter(); },
      }, ...choices.map((choice) => element('option', { value: choice }, choice || options.select.all))));
    }
    bar.append(told);
    return bar;
  }

  function sizes() {
    const select = element('select', { onchange: (event) => { state.size = Number(event.target.value); state.page = 0; draw(); } },
      ...[25, 100, 500].map((size) => element('option', { value: size }, String(size))));
    return element('label', {}, 'Rows ', select);
  }

  function sortBy(place) {
    const descends = state.sort && state.sort[0] === place ? !state.sort[1] : !columns[place].left;
    state.sort = [place, descends];
    state.page = 0;
    order();
    draw();
  }

  function filter() {
    state.page = 0;
    state.rows = all.filter((row) =>
      (!state.text || lower[row].includes(state.text)) && (!state.choice || options.select.value(row) === state.choice));
    order();
    draw();
  }

  function order() {
    if (!state.sort) return;
    const [place, descends] = state.sort;
    const keys = new Map(state.rows.map((row) => [row, sortable(columns[place].value(row))]));
    const sign = descends ? -1 : 1;
    const compare = (one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      if (a === b) return one - other;
      if (a === null || a === undefined) return 1;
      if (b === null || b === undefined) return -1;
      return a < b ? -sign : sign;
    };
    state.rows = [...state.rows].sort(compare);
  }

  function turn(step) {
    state.page += step;
    draw();
  }

  function cell(column, row, place) {
    const shown = column.show(row);
    const td = element('td', { class: [column.left ? 'left' : '', column.wide ? 'wide' : ''].join(' ').trim() || null });
    if (!column.bar) {
      td.append(shown);
      return td;
    }
    const bar = element('i');
    bar.style.width = `${largest[place] ? (100 * (column.value(row) ?? 0)) / largest[place] : 0}%`;
    td.append(element('span', { class: 'amount' }, shown, bar));
    return td;
  }

  function draw() {
    const whole = state.rows.length;
    const first = state.page * state.size;
    const rows = state.rows.slice(first, first + state.size);
    body.replaceChildren(...rows.map((row) => element('tr', {}, ...columns.map((column, place) => cell(column, row, place)))));
    if (!rows.length) {
      body.append(element('tr', {}, element('td', { class: 'none', colspan: columns.length }, `No ${options.noun} matches the filter.`)));
    }
    heads.forEach((head, place) => {
      if (state.sort && state.sort[0] === place) head.setAttribute('aria-sort', state.sort[1] ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    range.textContent = whole ? `${number(first + 1)}–${number(first + rows.length)} of ${counted(whole, options.noun)}` : '';
    told.textContent = whole === count ? counted(count, options.noun) : `${number(whole)} of ${counted(count, options.noun)}`;
    back.disabled = first === 0;
    on.disabled = first + rows.length >= whole;
  }

  order();
  draw();
  return {
    showOnly(text) {
      const input = card.querySelector('input');
      if (!input) return;
      input.value = text;
      input.dispatchEvent(new Event('input'));
    },
  };
}
