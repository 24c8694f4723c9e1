/** A run's commit, branch and CI attributes, read from files and variables (`spec/run_info.md`). */
import { readFileSync as realReadFileSync } from 'node:fs';

const readFileSync = realReadFileSync;

/**
 * @typedef {Record<string, string | undefined>} Environ
 * @typedef {{git_commit: string | null, git_branch: string | null, ci_provider: string | null, ci_url: string | null}} RunInfo
 */

const PROVIDERS = [
  {
    name: 'github',
    knownBy: 'GITHUB_ACTIONS',
    commit: 'GITHUB_SHA',
    branches: ['GITHUB_HEAD_REF', 'GITHUB_REF_NAME'],
    url: '{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}',
  },
  {
    name: 'gitlab',
    knownBy: 'GITLAB_CI',
    commit: 'CI_COMMIT_SHA',
    branches: ['CI_MERGE_REQUEST_SOURCE_BRANCH_NAME', 'CI_COMMIT_REF_NAME'],
    url: '{CI_PIPELINE_URL}',
  },
  {
    name: 'jenkins',
    knownBy: 'JENKINS_URL',
    commit: 'GIT_COMMIT',
    branches: ['CHANGE_BRANCH', 'BRANCH_NAME', 'GIT_BRANCH'],
    url: '{BUILD_URL}',
  },
  { name: 'azure', knownBy: 'TF_BUILD', commit: 'BUILD_SOURCEVERSION', branches: ['BUILD_SOURCEBRANCHNAME'], url: '' },
  { name: 'circleci', knownBy: 'CIRCLECI', commit: 'CIRCLE_SHA1', branches: ['CIRCLE_BRANCH'], url: '{CIRCLE_BUILD_URL}' },
  {
    name: 'buildkite',
    knownBy: 'BUILDKITE',
    commit: 'BUILDKITE_COMMIT',
    branches: ['BUILDKITE_BRANCH'],
    url: '{BUILDKITE_BUILD_URL}',
  },
];

/**
 * Return what is known of the run that begins now; never throws, starts no process.
 * @param {Environ} environ
 * @param {string} projectRoot
 * @returns {RunInfo}
 */
export function runInfo(environ, projectRoot) {
  const { commit, branch } = fromGitFiles(projectRoot);
  const provider = PROVIDERS.find((each) => environ[each.knownBy]);
  if (!provider) return { git_commit: commit, git_branch: branch, ci_provider: null, ci_url: null };
  let named = provider.branches.map((name) => environ[name]).find(Boolean);
  if (named && provider.name === 'jenkins') named = named.replace(/^origin\//, '');
  return {
    git_commit: environ[provider.commit] || commit,
    git_branch: named || branch,
    ci_provider: provider.name,
    ci_url: urlOf(provider.url, environ),
  };
}

/**
 * Return the name of the environment under test: as set, else `ci` or `local`.
 * @param {string | null} named
 * @param {Environ} environ
 */
export function environmentName(named, environ) {
  return named || (['', '0', 'false'].includes((environ.CI ?? '').toLowerCase()) ? 'local' : 'ci');
}

/** @param {string} template @param {Environ} environ */
function urlOf(template, environ) {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  if (names.some((name) => environ[name] === undefined)) return null;
  const url = template.replace(/\{(\w+)\}/g, (_, name) => environ[name] ?? '');
  // Less user and password.
  return url.replace(/^([^]*?:\/\/)([^/]*)/, (_, scheme, host) => scheme + host.slice(host.lastIndexOf('@') + 1)) || null;
}

/** @param {string} projectRoot @returns {{commit: string | null, branch: string | null}} */
function fromGitFiles(projectRoot) {
  const gitDir = findGitDir(projectRoot);
  const head = gitDir && firstLine(gitDir, 'HEAD');
  if (!gitDir || !head) return { commit: null, branch: null };
  if (!head.startsWith('ref: ')) return { commit: asCommit(head), branch: null };
  const ref = head.slice(5);
  const common = firstLine(gitDir, 'commondir');
  const refsDir = common ? join(gitDir, common) : gitDir;
  return {
    commit: asCommit(firstLine(refsDir, ref) || packedRef(refsDir, ref)),
    branch: ref.replace(/^refs\/heads\//, ''),
  };
}

/** @param {string | null} text */
function asCommit(text) {
  return text && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) ? text : null; // SHA-1, SHA-256
}

/** @param {string} start @returns {string | null} */
function findGitDir(start) {
  for (let folder = start; folder; folder = folder.slice(0, folder.lastIndexOf('/'))) {
    const pointer = firstLine(folder, '.git');
    if (pointer?.startsWith('gitdir: ')) return join(folder, pointer.slice(8));
    if (firstLine(join(folder, '.git'), 'HEAD')) return join(folder, '.git');
  }
  return null;
}

/** @param {string} folder @param {string} name */
function join(folder, name) {
  return name.startsWith('/') ? name : `${folder}/${name}`;
}

/** @param {string} gitDir @param {string} ref @returns {string | null} */
function packedRef(gitDir, ref) {
  const line = (textOf(gitDir, 'packed-refs') ?? '').split(/\r?\n/).find((each) => each.endsWith(` ${ref}`));
  return line && line.indexOf(' ') === line.length - ref.length - 1 ? line.slice(0, line.indexOf(' ')) : null;
}

/** @param {string} folder @param {string} name @returns {string | null} */
function firstLine(folder, name) {
  return textOf(folder, name)?.trim().split(/[\r\n]/, 1)[0] || null;
}

/** @param {string} folder @param {string} name @returns {string | null} */
function textOf(folder, name) {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return null;
  }
}
