/** A connection to the database by the project's own `pg`. */
import * as nodeFs from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const fs = { ...nodeFs };

const CONNECT_TIMEOUT_MS = 5000;

/** `pg` is not installed where the project finds it. */
export class NoDriver extends Error {}

/** @param {string} projectRoot @returns {Promise<any>} */
async function driver(projectRoot) {
  for (const base of [process.cwd(), projectRoot]) {
    try {
      const path = createRequire(join(base, 'package.json')).resolve('pg');
      const module = await import(pathToFileURL(path).href);
      return module.default ?? module;
    } catch {
      // not there
    }
  }
  throw new NoDriver("'pg' is not installed: events stay in the spool for 'crossbridge ingest'");
}

/** @param {import('./settings.js').Settings} settings */
export async function connect({ values, projectRoot }) {
  const pg = await driver(projectRoot);
  const options = {
    host: values.CROSSBRIDGE_DB_HOST ?? undefined,
    port: values.CROSSBRIDGE_DB_HOST ? values.CROSSBRIDGE_DB_PORT : undefined,
    database: values.CROSSBRIDGE_DB_NAME ?? undefined,
    user: values.CROSSBRIDGE_DB_USER ?? undefined,
    password: values.CROSSBRIDGE_DB_PASSWORD ?? undefined,
    application_name: 'crossbridge js',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  const ways = sslWays(values.CROSSBRIDGE_DB_SSLMODE, String(options.host ?? '').startsWith('/'));
  for (const [index, ssl] of ways.entries()) {
    const client = new pg.Client({ ...options, ssl });
    client.on('error', () => {}); // the query under way is told too
    try {
      const connected = client.connect();
      client.connection?.stream?.unref?.();
      await connected;
      client.connection?.stream?.unref?.(); // another one with TLS
      return client;
    } catch (error) {
      client.connection?.stream?.destroy();
      if (index === ways.length - 1) throw error;
    }
  }
}

/** What libpq's word for the use of TLS means to `pg`, in the order to try. @param {string} mode @param {boolean} isSocket */
function sslWays(mode, isSocket) {
  if (isSocket || mode === 'disable') return [false];
  const ca = rootCertificate();
  const unchecked = { rejectUnauthorized: false };
  /** @type {Record<string, (false | object)[]>} */
  const ways = {
    allow: [false, unchecked],
    prefer: [unchecked, false],
    require: [ca ? { ca, checkServerIdentity: () => undefined } : unchecked],
    'verify-ca': [{ ca, checkServerIdentity: () => undefined }],
    'verify-full': [{ ca }],
  };
  return ways[mode];
}

function rootCertificate() {
  try {
    return fs.readFileSync(process.env.PGSSLROOTCERT ?? join(homedir(), '.postgresql', 'root.crt'), 'utf8');
  } catch {
    return undefined;
  }
}
