#!/bin/sh
# Run once by an empty PostgreSQL: a database for each program; `executor` is there already. The indexer answers
# anybody, so its account sees no journal.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --set password="$INDEXER_DATABASE_PASSWORD" \
  --username "$POSTGRES_USER" --dbname executor <<'SQL'
CREATE DATABASE watchtower;
CREATE ROLE indexer LOGIN PASSWORD :'password';
CREATE DATABASE indexer OWNER indexer;
REVOKE CONNECT ON DATABASE executor, watchtower FROM PUBLIC;
SQL
