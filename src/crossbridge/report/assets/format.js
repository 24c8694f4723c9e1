// How figures and names look. Names come from tests and are untrusted: they go into the page as text, never as HTML.

const NARROW = '\u202f';

function duration(us) {
  if (us === null || us === undefined) return '–';
  if (us < 999.5) return `${Math.round(us)}${NARROW}µs`;
  if (us < 99950) return `${(us / 1e3).toFixed(1)}${NARROW}ms`;
  if (us < 999500) return `${Math.round(us / 1e3)}${NARROW}ms`;
  if (us < 59995000) return `${(us / 1e6).toFixed(2)}${NARROW}s`;
  const seconds = Math.round(us / 1e6);
  const minutes = Math.floor(seconds / 60);
  const two = (value) => String(value).padStart(2, '0');
  if (minutes < 60) return `${minutes}${NARROW}m${NARROW}${two(seconds % 60)}${NARROW}s`;
  return `${number(Math.floor(minutes / 60))}${NARROW}h${NARROW}${two(minutes % 60)}${NARROW}m`;
}

const number = (value) => (value === null || value === undefined ? '–' : value.toLocaleString('en-US'));
const percent = (part, whole, digits = 1) => (whole ? `${((100 * part) / whole).toFixed(digits)}${NARROW}%` : '–');
const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
const moment = (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

// What steers text or hides itself is shown as an escape.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const visible = (text) =>
  text.replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

// The last part of a test's name tells most; what stands before it is its path.
const SEPARATORS = ['::', ' › ', '#'];

function partsOfName(name, framework) {
  const separators = framework === 'robot' ? ['.'] : SEPARATORS;
  let at = -1;
  let found = '';
  const bracket = name.indexOf('['); // parameters may hold anything
  const searched = bracket > 0 ? name.slice(0, bracket) : name;
  for (const separator of separators) {
    const place = searched.lastIndexOf(separator);
    if (place > at) [at, found] = [place, separator];
  }
  return at > 0 && at + found.length < name.length ? [name.slice(0, at), name.slice(at + found.length)] : ['', name];
}

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'class') made.className = value;
    else if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function nameElement(name, framework = '') {
  const [path, own] = partsOfName(name, framework);
  const made = element('bdi', { class: 'name' }, element('span', { class: 'own' }, visible(own)));
  if (path) made.append(element('span', { class: 'path' }, visible(path)));
  return made;
}

function statusElement(status) {
  return element('span', { class: 'status' }, element('span', { class: `mark ${status}`, 'aria-hidden': 'true' }), status);
}

function empty(strong, text = '') {
  return element('p', { class: 'empty' }, element('b', {}, strong), text ? ` ${text}` : '');
}

// Colours for canvases: custom properties hold light-dark(), which only a real property resolves.
const probe = element('span', { hidden: true });
document.body.append(probe);
function colour(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
