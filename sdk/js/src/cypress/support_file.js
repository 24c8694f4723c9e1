/** The support file of a run: the user's, and what tells us what happens in the browser. */
import { existsSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = /^support-([0-9]+)\.js$/;

/**
 * Write the file; it goes when this process ends.
 * @param {any} config of Cypress
 * @param {string} url where the browser is to send what it sees
 * @returns {string} its path
 */
export function makeSupportFile(config, url) {
  const folder = join(config.projectRoot, '.crossbridge', 'cypress');
  mkdirSync(folder, { recursive: true });
  removeOld(folder);
  const path = join(folder, `support-${process.pid}.js`);
  const watcher = join(dirname(fileURLToPath(import.meta.url)), 'support.js');
  const theirs = supportOf(config);
  const lines = [
    `import { watch } from ${JSON.stringify(watcher)};`,
    ...(theirs ? [`import ${JSON.stringify(theirs)};`] : []),
    `watch(Cypress, ${JSON.stringify(url)});`,
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  process.once('exit', () => remove(path));
  return path;
}

/** The user's support file, null without one. @param {any} config @returns {string | null} */
function supportOf({ supportFile, projectRoot }) {
  if (!supportFile) return null;
  const [, before, inner, after] = /^(.*)\{(.*)\}(.*)$/.exec(supportFile) ?? [null, supportFile, '', ''];
  const candidates = inner.split(',').map((part) => resolve(projectRoot, `${before}${part}${after}`));
  const found = candidates.find((path) => existsSync(path));
  if (!found) throw new Error(`no support file ${supportFile}`);
  return found;
}

/** Remove what runs that were killed have left. @param {string} folder */
function removeOld(folder) {
  for (const name of readdirSync(folder)) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid && !isAlive(pid)) remove(join(folder, name));
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {string} path */
function remove(path) {
  try {
    unlinkSync(path);
  } catch {
    // gone already
  }
}
