"""Build and measure the large database.

python -m bench.scale build --dir DIR [--tests 10_000_000]
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from psycopg.conninfo import make_conninfo

from bench.scale.build import build
from crossbridge.database.connection import connect
from crossbridge.database.server import EmbeddedServer


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build", help="start a server in DIR and fill a new database")
    builder.add_argument("--dir", type=Path, required=True)
    builder.add_argument("--tests", type=int, default=10_000_000)
    builder.add_argument("--name", default="scale")
    args = parser.parse_args()
    target = replace(EmbeddedServer(args.dir).start(), dbname=args.name)
    with connect(replace(target, dbname="postgres")) as admin:
        admin.execute(f"CREATE DATABASE {args.name} TEMPLATE template0")
    print(json.dumps(asdict(build(target, tests=args.tests))))
    print(make_conninfo(**target.parameters()), file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
