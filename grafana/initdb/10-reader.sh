#!/bin/sh
# Run by PostgreSQL's image when it makes the database: Grafana's user, who can read and nothing else.
# 'crossbridge db init' gives crossbridge_reader its rights.
set -eu
psql --set ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv password CROSSBRIDGE_READER_PASSWORD
CREATE ROLE crossbridge_reader NOLOGIN;
CREATE ROLE grafana LOGIN PASSWORD :'password' IN ROLE crossbridge_reader;
SQL
