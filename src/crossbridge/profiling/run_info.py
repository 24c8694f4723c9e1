"""A run's commit, branch and CI attributes, read from files and variables (`spec/run_info.md`).

No process is started: `git describe` is the shipper's.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from crossbridge.profiling.real import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMIT_DIGITS = (40, 64)  # SHA-1, SHA-256


class RunInfo(SimpleNamespace):
    """Attributes of a run; None is unknown."""

    def __init__(
        self,
        git_commit: str | None = None,
        git_branch: str | None = None,
        ci_provider: str | None = None,
        ci_url: str | None = None,
    ) -> None:
        self.git_commit = git_commit
        self.git_branch = git_branch
        self.ci_provider = ci_provider
        self.ci_url = ci_url


class _Provider:
    def __init__(self, name: str, known_by: str, commit: str, branches: tuple[str, ...], url: str) -> None:
        self.name = name
        self.known_by = known_by
        self.commit = commit
        self.branches = branches
        self.url = url


_PROVIDERS = (
    _Provider(
        "github",
        "GITHUB_ACTIONS",
        "GITHUB_SHA",
        ("GITHUB_HEAD_REF", "GITHUB_REF_NAME"),
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    ),
    _Provider(
        "gitlab",
        "GITLAB_CI",
        "CI_COMMIT_SHA",
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"),
        "{CI_PIPELINE_URL}",
    ),
    _Provider(
        "jenkins", "JENKINS_URL", "GIT_COMMIT", ("CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"), "{BUILD_URL}"
    ),
    _Provider("azure", "TF_BUILD", "BUILD_SOURCEVERSION", ("BUILD_SOURCEBRANCHNAME",), ""),
    _Provider("circleci", "CIRCLECI", "CIRCLE_SHA1", ("CIRCLE_BRANCH",), "{CIRCLE_BUILD_URL}"),
    _Provider("buildkite", "BUILDKITE", "BUILDKITE_COMMIT", ("BUILDKITE_BRANCH",), "{BUILDKITE_BUILD_URL}"),
)


def run_info(environ: Mapping[str, str], project_root: str) -> RunInfo:
    """Return what is known of the run that begins now; never raises."""
    commit, branch = _from_git_files(project_root)
    provider = next((p for p in _PROVIDERS if environ.get(p.known_by)), None)
    if provider is None:
        return RunInfo(commit, branch)
    named = next((environ[name] for name in provider.branches if environ.get(name)), None)
    if named is not None and provider.name == "jenkins":
        named = named.removeprefix("origin/")
    return RunInfo(
        environ.get(provider.commit) or commit, named or branch, provider.name, _url(provider.url, environ)
    )


def _url(template: str, environ: Mapping[str, str]) -> str | None:
    try:
        url = template.format_map(environ)
    except KeyError:
        return None
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    host = host.rpartition("@")[2]  # less user and password
    return f"{scheme}{separator}{host}{slash}{path}" or None


def _is_commit(text: str) -> bool:
    return len(text) in _COMMIT_DIGITS and set(text) <= set("0123456789abcdef")


def _from_git_files(project_root: str) -> tuple[str | None, str | None]:
    git_dir = _git_dir(project_root)
    head = _line(git_dir, "HEAD") if git_dir else None
    if git_dir is None or head is None:
        return None, None
    if not head.startswith("ref: "):
        return (head if _is_commit(head) else None), None
    ref = head[5:]
    common = _line(git_dir, "commondir")
    refs_dir = _path(git_dir, common) if common else git_dir
    commit = _line(refs_dir, ref) or _packed_ref(refs_dir, ref)
    if commit is not None and not _is_commit(commit):
        commit = None
    return commit, ref.removeprefix("refs/heads/")


def _git_dir(folder: str) -> str | None:
    while True:
        candidate = _path(folder, ".git")
        if (pointer := _line(folder, ".git")) and pointer.startswith("gitdir: "):
            return _path(folder, pointer[8:])
        if _line(candidate, "HEAD"):
            return candidate
        parent = folder.rpartition("/")[0]
        if parent == folder or not parent:
            return None
        folder = parent


def _path(folder: str, name: str) -> str:
    return name if name.startswith("/") else f"{folder}/{name}"


def _packed_ref(git_dir: str, ref: str) -> str | None:
    for line in (_text(git_dir, "packed-refs") or "").splitlines():
        commit, _, name = line.partition(" ")
        if name == ref:
            return commit
    return None


def _line(folder: str, name: str) -> str | None:
    text = _text(folder, name)
    return (text.strip().splitlines() or [""])[0] or None if text else None


def _text(folder: str, name: str) -> str | None:
    content = read_file(_path(folder, name), limit=1 << 22)
    return content.decode(errors="replace") if content else None
