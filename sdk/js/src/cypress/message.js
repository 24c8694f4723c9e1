/** Errors' messages. */

const LIMIT = 8000;
const DETAILS = /\n+-{20,}\n[^]*/; // of cy.request: headers and bodies
const QUERY = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s?#'"`]*)[?#][^\s'"`]*/gi;

/** A message without headers, bodies and queries of URLs. @param {string} message */
export function withoutSecrets(message) {
  return message.slice(0, LIMIT).replace(DETAILS, '').replace(QUERY, '$1');
}
