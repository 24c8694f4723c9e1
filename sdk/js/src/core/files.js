/** Folders, for their owner only, and out of git. */
import * as nodeFs from 'node:fs';
import { basename, dirname } from 'node:path';

const fs = { ...nodeFs };

/**
 * Make a folder and those above it. Node's own `recursive` tries for ever where a file system refuses with ENOENT, as
 * /proc does.
 * @param {string} path
 * @throws what the operating system says
 */
export function makeFolder(path) {
  if (fs.existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    fs.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error; // another process was faster
  }
}

/**
 * Let the folder of ours that a spool lies in ignore itself; not one that somebody has chosen.
 * @param {string} spool
 * @throws what the operating system says, as when there is such a file
 */
export function keepOutOfGit(spool) {
  const folder = dirname(spool);
  if (basename(folder) === '.crossbridge') fs.writeFileSync(`${folder}/.gitignore`, '*\n', { flag: 'wx', mode: 0o600 });
}
