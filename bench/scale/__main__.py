"""Build and measure the large database.

    python -m bench.scale build --dir DIR [--tests 10_000_000]
    python -m bench.scale time --dsn DSN

`python -m bench scale` does both in a scratch folder, and writes docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench.scale.build import Built, build
from bench.scale.results import examine
from crossbridge.database.connection import connect
from crossbridge.database.server import EmbeddedServer
from crossbridge.database.target import Target


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build", help="start a server in DIR and fill a new database")
    builder.add_argument("--dir", type=Path, required=True)
    builder.add_argument("--tests", type=int, default=10_000_000)
    builder.add_argument("--name", default="scale")
    timer = commands.add_parser("time", help="time panels and commands on a database that is built")
    timer.add_argument("--dsn", required=True)
    timer.add_argument("--only", choices=["panels", "commands"])
    timer.add_argument("--quick", action="store_true", help="All chosen only, and nothing is written")
    timer.add_argument("--built", help="what the build printed, for the page")
    args = parser.parse_args()
    return _build(args) if args.command == "build" else _time(args)


def _build(args: argparse.Namespace) -> int:
    target = replace(EmbeddedServer(args.dir).start(), dbname=args.name)
    with connect(replace(target, dbname="postgres")) as admin:
        admin.execute(f"CREATE DATABASE {args.name} TEMPLATE template0")
    built = build(target, tests=args.tests)
    print(json.dumps(asdict(built)))
    print(make_conninfo(**target.parameters()), file=sys.stderr)
    return 0


def _time(args: argparse.Namespace) -> int:
    named = conninfo_to_dict(args.dsn)
    target = Target(
        named["host"],
        int(named["port"]),
        named["dbname"],
        named["user"],
        named.get("password"),
        sslmode="disable",
    )
    only = (args.only,) if args.only else ("panels", "commands")
    built = Built(**json.loads(args.built)) if args.built else None
    with tempfile.TemporaryDirectory() as folder:
        found = examine(target, built, Path(folder), quick=args.quick, only=only)
    figures = [figure for kind, some in found.items() if kind != "whole" for figure in some]
    missed = [figure for figure in figures if not figure.met]
    for figure in missed:
        print(
            f"MISS {figure.median_ms:8.1f} {figure.p95_ms:8.1f} ms  {figure.what} | {figure.of} | {figure.window}"
        )
    print(f"{len(figures) - len(missed)} of {len(figures)} met")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
