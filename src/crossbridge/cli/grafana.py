"""`grafana`: dashboards and alert rules, built and brought into Grafana."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from crossbridge.cli._common import Json, print_json, say
from crossbridge.cli._grafana_setup import provision, push
from crossbridge.cli._text import counted, safe
from crossbridge.errors import UsageError

grafana = typer.Typer(
    name="grafana", help="Build dashboards and bring them into Grafana.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    grafana.command()(provision)
    grafana.command()(push)
    app.add_typer(grafana)


@grafana.command()
def build(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder the files go to.")] = Path("grafana"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when a file is not what would be built.")
    ] = False,
    as_json: Json = False,
) -> None:
    """
    Build the dashboards from their code, and what goes with them.

    For those who change them: the built files come with the package, and 'crossbridge grafana provision' hands
    them out. In the repository's folder the setup guide's tables and the provisioning files are built too.

    \b
    Examples:
      crossbridge grafana build
      crossbridge grafana build --out grafana --check
    """
    from crossbridge.grafana.provision import write_files

    try:
        from crossbridge.grafana.build import build_all
    except ImportError as error:
        raise UsageError(
            "building the dashboards needs grafana-foundation-sdk, which is not installed. Install it with:"
            " pip install 'crossbridge[grafana-build]' (Python 3.11 or newer)"
        ) from error

    built = build_all()
    built |= _companions(out, built)
    changed = [path for path, text in built.items() if _read(out / path) != text]
    if not check:
        write_files(out, built)
    if as_json:
        print_json(
            {"folder": str(out), "files": sorted(built), "changed": sorted(changed), "written": not check}
        )
    else:
        _tell(out, changed, len(built), check)
    if check and changed:
        raise typer.Exit(1)


def _companions(out: Path, dashboards: dict[str, str]) -> dict[str, str]:
    """Return what else is built in the repository's folder: the guide's tables of panels, the provisioning files."""
    from crossbridge.grafana import guide
    from crossbridge.grafana.provision import COMMITTED, provisioning_files

    found = {}
    if text := _read(out / guide.NAME):
        found[guide.NAME] = guide.with_panels(text, [json.loads(built) for built in dashboards.values()])
    if (out / "provisioning").is_dir():
        files = provisioning_files(COMMITTED, dashboards=False)
        found |= {f"provisioning/{path}": file for path, file in files.items()}
    return found


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _tell(out: Path, changed: list[str], count: int, check: bool) -> None:
    for path in changed:
        print(f"{'differs: ' if check else 'wrote '}{safe(str(out / path))}")
    if check and changed:
        say(
            f"{counted(len(changed), 'file')} of {count} differ. Build them with 'crossbridge grafana build'."
        )
    elif not changed:
        print(f"{counted(count, 'file')} in {safe(str(out))} up to date.")
