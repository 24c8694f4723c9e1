// What white space is to the SDK in Python, which JavaScript's own trim() sees a little differently.
const BEFORE = /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const BEHIND = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/;

/** Cut white space from both ends. @param {string} text */
export function trim(text) {
  return trimEnd(text.replace(BEFORE, ''));
}

/** Cut white space from the end. @param {string} text */
export function trimEnd(text) {
  let end = text.length;
  while (end > 0 && BEHIND.test(text[end - 1])) end -= 1;
  return text.slice(0, end);
}
