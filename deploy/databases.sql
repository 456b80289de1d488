-- Run once by an empty PostgreSQL: a database for each program; `executor` is there already.
CREATE DATABASE watchtower OWNER gateless;
CREATE DATABASE indexer OWNER gateless;
