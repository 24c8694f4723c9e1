/**
 * The names of a feature's scenarios (`spec/identity.md`). They hold no value of an outline's row: rows are numbered
 * within their table, and a table after the first has its number before the row's.
 * @param {string} path
 * @param {any} feature of a Gherkin document
 * @returns {Map<string, string>} test_id by the id of a scenario, or of a row
 */
export function scenarioIds(path, feature) {
  const ids = new Map();
  /** @type {Map<string, number>} */
  const taken = new Map();
  /** @param {string} id */
  const own = (id) => {
    const number = (taken.get(id) ?? 0) + 1;
    taken.set(id, number);
    return number === 1 ? id : `${id} #${number}`;
  };
  /** @param {any[]} children @param {string} outer */
  const add = (children, outer) => {
    for (const { rule, scenario } of children) {
      if (rule) add(rule.children, `${outer}::${rule.name}`);
      if (!scenario) continue;
      const id = own(`${outer}::${scenario.name}`);
      ids.set(scenario.id, id);
      for (const [table, examples] of scenario.examples.entries()) {
        for (const [row, { id: rowId }] of examples.tableBody.entries()) {
          ids.set(rowId, `${id} [${table ? `${table + 1}.` : ''}${row + 1}]`);
        }
      }
    }
  };
  add(feature.children, path);
  return ids;
}

/** The keywords of a feature's steps by their ids. @param {any} feature @returns {Map<string, string>} */
export function stepKeywords(feature) {
  const keywords = new Map();
  /** @param {any[]} children */
  const add = (children) => {
    for (const { rule, scenario, background } of children) {
      if (rule) add(rule.children);
      for (const { id, keyword } of (scenario ?? background)?.steps ?? []) keywords.set(id, keyword.trim());
    }
  };
  add(feature.children);
  return keywords;
}
