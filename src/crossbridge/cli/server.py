"""`up`, `down`, `status`: the embedded PostgreSQL server."""

from __future__ import annotations

import json
import os
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from crossbridge.cli._text import safe, size
from crossbridge.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crossbridge.database.server import ServerStatus

NOT_RUNNING = 3

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Where the server keeps its data; CROSSBRIDGE_DATA_DIR sets it for good.",
        show_default="your data folder",
        readable=False,  # whose folder it is, is for the server to say
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def register(app: typer.Typer) -> None:
    for command in (up, down, status):
        app.command()(command)


def up(data_dir: DataDir = None, as_json: Json = False) -> None:
    """
    Start the embedded PostgreSQL server.

    Tells how to connect to it. It listens on this machine only, keeps its port and data, and goes on running
    until `crossbridge down`. Nothing happens to a server that runs already.

    \b
    Examples:
      crossbridge up
      crossbridge up --json | jq -r .url
      crossbridge up --data-dir /srv/crossbridge
    """
    from crossbridge.database.server import EmbeddedServer

    with waiting() as progress:
        server = EmbeddedServer(data_dir, database=_database(), progress=progress)
        server.start()
        found = server.status()
    _show(found, data_dir, as_json=as_json)


def down(data_dir: DataDir = None, as_json: Json = False) -> None:
    """
    Stop the embedded PostgreSQL server; its data stays.

    Clients that are connected are cut off. A server that does not run is fine.

    \b
    Examples:
      crossbridge down
      crossbridge down --data-dir /srv/crossbridge
    """
    from crossbridge.database.server import EmbeddedServer

    with waiting() as progress:
        server = EmbeddedServer(data_dir, progress=progress)
        stopped = server.stop()
        found = server.status()
    if as_json:
        print(json.dumps({"stopped": stopped} | _fields(found)))
    elif stopped:
        _say("○", "yellow", f"PostgreSQL has stopped. Its data stays in {_tilde(found.data_dir)}")
    else:
        _say("○", "yellow", "PostgreSQL was not running.")


def status(
    data_dir: DataDir = None,
    show_password: Annotated[bool, typer.Option("--show-password", help="Print the password alone.")] = False,
    as_json: Json = False,
) -> None:
    """
    Tell whether the embedded PostgreSQL server runs.

    And how to connect to it. Exit code 0: it runs. 3: it does not.

    \b
    Examples:
      crossbridge status
      crossbridge status --json
      export PGPASSWORD=$(crossbridge status --show-password)
    """
    from crossbridge.database.server import EmbeddedServer

    found = EmbeddedServer(data_dir, database=_database()).status()
    if show_password and not as_json:
        if found.target is None:
            raise ServerError(
                f"the server in {found.data_dir} is not running: start it with 'crossbridge up'."
            )
        print(found.target.password)
    else:
        _show(found, data_dir, as_json=as_json, show_password=show_password)
    if not found.running:
        raise typer.Exit(NOT_RUNNING)


def _database() -> str | None:
    """Which of the server's databases the settings mean; what they say of another server is not for this one."""
    from crossbridge.cli._common import is_local
    from crossbridge.profiling.config import load

    config = load()
    return config.postgres_database if is_local(config) else None


@contextmanager
def waiting() -> Iterator[Callable[[str], None]]:
    """Give a callable that shows a short text beside a spinner; on a terminal only, on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _text: None
        return
    with console.status("Looking for the server") as spinner:
        yield spinner.update


def _show(found: ServerStatus, data_dir: Path | None, *, as_json: bool, show_password: bool = False) -> None:
    if as_json:
        shown = {"password": found.target.password} if show_password and found.target else {}
        print(json.dumps(_fields(found) | shown))
        return
    option = f" --data-dir {shlex.quote(str(data_dir))}" if data_dir else ""
    if found.target is None:
        _say("○", "yellow", f"PostgreSQL is not running. Start it with: crossbridge up{option}")
        _table({"data": _data(found)})
        return
    _say("●", "green", f"PostgreSQL {found.version} is running. Connect Grafana, psql or anything else with:")
    target = found.target
    _table(
        {
            "host": f"{target.host}:{target.port}",
            "database": target.dbname,
            "user": target.user,
            "password": f"in {_tilde(found.password_file)}",
            "TLS mode": target.sslmode,
            "data": _data(found),
            "log": _tilde(found.log),
        }
    )
    print()
    _table(
        {
            "show the password": f"crossbridge status --show-password{option}",
            "stop the server": f"crossbridge down{option}",
        }
    )


def _fields(found: ServerStatus) -> dict[str, Any]:
    fields: dict[str, Any] = {"running": found.running}
    if target := found.target:
        fields |= {
            "host": target.host,
            "port": target.port,
            "database": target.dbname,
            "user": target.user,
            "sslmode": target.sslmode,
            "url": f"postgresql://{target.user}@{target.host}:{target.port}/{target.dbname}?sslmode=disable",
            "version": found.version,
            "pid": found.pid,
        }
    return fields | {
        "password_file": str(found.password_file),
        "data_dir": str(found.data_dir),
        "data_bytes": found.data_bytes,
        "log": str(found.log),
    }


def _say(mark: str, colour: str, text: str) -> None:
    Console().print(Text.assemble((f"{mark} ", colour), text), soft_wrap=True)


def _table(rows: dict[str, str | None]) -> None:
    console = Console()
    width = max(map(len, rows))
    for name, value in rows.items():
        console.print(Text.assemble("  ", (f"{name:<{width}}", "dim"), "  ", safe(value)), soft_wrap=True)


def _data(found: ServerStatus) -> str:
    return f"{_tilde(found.data_dir)}  ({size(found.data_bytes) if found.data_bytes else 'none yet'})"


def _tilde(path: Path) -> str:
    home = os.path.expanduser("~")  # noqa: PTH111  (Path.home raises where there is none)
    return safe(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))
