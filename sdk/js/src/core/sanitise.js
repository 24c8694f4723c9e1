/** Making text storable, by the rules of `spec/sanitising.md`. */
import { createHash as realCreateHash } from 'node:crypto';

const createHash = realCreateHash;

export const NAME_LIMIT_BYTES = 1000;
export const MESSAGE_LIMIT_BYTES = 8000;

const HASH_DIGITS = 20;
const ELLIPSIS = '…';
const BYTES_PER_CODE_UNIT = 3;
const SUSPECT = /[\0\ud800-\udfff]/;

/**
 * Replace NUL and lone surrogates by U+FFFD and cut what is over-long.
 * @param {string} text
 * @param {string} [field] decides the length allowed
 */
export function cleanText(text, field = '') {
  if (text.length * BYTES_PER_CODE_UNIT <= NAME_LIMIT_BYTES && !SUSPECT.test(text)) return text;
  // Encoding puts U+FFFD in the place of each lone surrogate.
  const encoded = Buffer.from(text.replaceAll('\0', '\ufffd'), 'utf8');
  if (field === 'error_message' || field === 'error') {
    if (encoded.length <= MESSAGE_LIMIT_BYTES) return encoded.toString();
    return prefix(encoded, MESSAGE_LIMIT_BYTES - Buffer.byteLength(ELLIPSIS)) + ELLIPSIS;
  }
  if (encoded.length <= NAME_LIMIT_BYTES) return encoded.toString();
  const digest = createHash('sha256').update(encoded).digest('hex').slice(0, HASH_DIGITS);
  return `${prefix(encoded, NAME_LIMIT_BYTES - HASH_DIGITS - 1)}~${digest}`;
}

/** The longest prefix of whole characters. @param {Buffer} encoded @param {number} limit */
function prefix(encoded, limit) {
  let end = limit;
  while ((encoded[end] & 0xc0) === 0x80) end -= 1;
  return encoded.subarray(0, end).toString();
}
