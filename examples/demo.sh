#!/bin/sh
# What `make demo` shows: real suites, profiled without an edit, in a real PostgreSQL on this machine.
set -eu
cd "$(dirname "$0")/.."

export CROSSBRIDGE_PROFILING=true
export CROSSBRIDGE_ENVIRONMENT=demo
# The demonstration has a database and a spool of its own; yours stay as they are.
export CROSSBRIDGE_SPOOL_DIR="$PWD/.crossbridge/demo-spool"

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() { say "$*"; "$@"; }

run crossbridge up
run crossbridge demo

say "cd examples/pytest && pytest -n 2   # some of these tests fail on purpose"
(cd examples/pytest && pytest -q -n 2 --tb=no) || [ $? -eq 1 ]

run crossbridge report
echo
echo "The server keeps running for Grafana: 'crossbridge status' tells how to connect, 'crossbridge down' stops it."
