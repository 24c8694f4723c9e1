/** Folders, for their owner only. */
import * as nodeFs from 'node:fs';
import { dirname } from 'node:path';

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
