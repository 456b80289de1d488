"""Full-text search behind one small interface: FTS5 in SQLite, ``tsvector`` in PostgreSQL.

Both get words that :mod:`gateless.indexer.words` has cut, never text: what is found does not depend
on the database, and no query of a user is read as one of its operators.

Sources: https://www.sqlite.org/fts5.html,
https://www.postgresql.org/docs/current/datatype-textsearch.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Select, column, func, inspect, select, table, text
from sqlalchemy.sql.elements import ColumnElement

#: Highest position that a ``tsvector`` tells apart.
_MAX_POSITION = 16_383


@dataclass(frozen=True, slots=True)
class Document:
    """What a model is found by: words of its name, of tags and task, and of the rest."""

    model_id: int
    name: Sequence[str]
    tags: Sequence[str]
    body: Sequence[str]
    grams: Sequence[str]


class FullText(Protocol):
    """Documents by model, and the models whose documents match."""

    def create(self, connection: Connection) -> bool:
        """Makes the table where it is absent; whether it was.

        It is no part of the migrations: all of it follows from the listings.
        """
        ...

    def write(self, connection: Connection, documents: Sequence[Document]) -> None:
        """Puts documents in the place of those of the same models."""
        ...

    def remove(self, connection: Connection, model_ids: Sequence[int]) -> None:
        """Takes documents out."""
        ...

    def having(self, asked: Sequence[str], *, name_only: bool = False) -> Select[tuple[int]]:
        """Ids of the models with words that begin with each of those asked for."""
        ...

    def alike(self, grams: Sequence[str], limit: int) -> Select[tuple[int]]:
        """Ids of the models that have most of some trigrams, the best first."""
        ...


class SqliteFullText:
    """An FTS5 table whose rows' ids are those of models."""

    def create(self, connection: Connection) -> bool:
        """Makes the table where it is absent; whether it was."""
        if inspect(connection).has_table("documents"):
            return False
        connection.execute(
            text(
                "CREATE VIRTUAL TABLE documents USING fts5(name, tags, body, grams,"
                " tokenize = 'unicode61 remove_diacritics 0', prefix = '1 2 3')"
            )
        )
        return True

    def write(self, connection: Connection, documents: Sequence[Document]) -> None:
        """Puts documents in the place of those of the same models."""
        if not documents:
            return
        self.remove(connection, [document.model_id for document in documents])
        connection.execute(
            text(
                "INSERT INTO documents(rowid, name, tags, body, grams)"
                " VALUES (:id, :name, :tags, :body, :grams)"
            ),
            [
                {
                    "id": document.model_id,
                    "name": " ".join(document.name),
                    "tags": " ".join(document.tags),
                    "body": " ".join(document.body),
                    "grams": " ".join(document.grams),
                }
                for document in documents
            ],
        )

    def remove(self, connection: Connection, model_ids: Sequence[int]) -> None:
        """Takes documents out."""
        if model_ids:
            connection.execute(
                text("DELETE FROM documents WHERE rowid = :id"), [{"id": i} for i in model_ids]
            )

    def having(self, asked: Sequence[str], *, name_only: bool = False) -> Select[tuple[int]]:
        """Ids of the models with words that begin with each of those asked for."""
        columns = "name" if name_only else "name tags body"
        prefixes = " AND ".join(f'"{word}"*' for word in asked)
        return self._matching(f"{{{columns}}} : ({prefixes})")

    def alike(self, grams: Sequence[str], limit: int) -> Select[tuple[int]]:
        """Ids of the models that have most of some trigrams, the best first."""
        either = " OR ".join(f'"{gram}"' for gram in grams)
        return self._matching(f"grams : ({either})").order_by(column("rank")).limit(limit)

    def _matching(self, query: str) -> Select[tuple[int]]:
        documents = table("documents", column("rowid"), column("rank"))
        matches: ColumnElement[bool] = column("documents").op("MATCH")(query)
        return select(documents.c.rowid).where(matches)


class PostgresFullText:
    """A table of ``tsvector`` columns: names weigh A, tags B, the rest C."""

    def create(self, connection: Connection) -> bool:
        """Makes the table where it is absent; whether it was."""
        if inspect(connection).has_table("documents"):
            return False
        for statement in (
            "CREATE TABLE documents"
            " (model_id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL, grams TSVECTOR NOT NULL)",
            "CREATE INDEX documents_by_words ON documents USING GIN (words)",
            "CREATE INDEX documents_by_grams ON documents USING GIN (grams)",
        ):
            connection.execute(text(statement))
        return True

    def write(self, connection: Connection, documents: Sequence[Document]) -> None:
        """Puts documents in the place of those of the same models."""
        if not documents:
            return
        connection.execute(
            text(
                "INSERT INTO documents(model_id, words, grams)"
                " VALUES (:id, CAST(CAST(:words AS text) AS tsvector),"
                " CAST(CAST(:grams AS text) AS tsvector))"
                " ON CONFLICT (model_id) DO UPDATE"
                " SET words = excluded.words, grams = excluded.grams"
            ),
            [
                {
                    "id": document.model_id,
                    "words": _vector(
                        [("A", document.name), ("B", document.tags), ("C", document.body)]
                    ),
                    "grams": _vector([("D", document.grams)]),
                }
                for document in documents
            ],
        )

    def remove(self, connection: Connection, model_ids: Sequence[int]) -> None:
        """Takes documents out."""
        if model_ids:
            connection.execute(
                text("DELETE FROM documents WHERE model_id = :id"), [{"id": i} for i in model_ids]
            )

    def having(self, asked: Sequence[str], *, name_only: bool = False) -> Select[tuple[int]]:
        """Ids of the models with words that begin with each of those asked for."""
        weight = "A" if name_only else ""
        return self._matching("words", " & ".join(f"'{word}':*{weight}" for word in asked))[0]

    def alike(self, grams: Sequence[str], limit: int) -> Select[tuple[int]]:
        """Ids of the models that have most of some trigrams, the best first."""
        found, rank = self._matching("grams", " | ".join(f"'{gram}'" for gram in grams))
        return found.order_by(rank.desc()).limit(limit)

    def _matching(self, name: str, query: str) -> tuple[Select[tuple[int]], ColumnElement[Any]]:
        documents = table("documents", column("model_id"), column(name))
        wanted = text("CAST(CAST(:tsquery AS text) AS tsquery)").bindparams(tsquery=query)
        vector = documents.c[name]
        matches: ColumnElement[bool] = vector.op("@@")(wanted)
        return select(documents.c.model_id).where(matches), func.ts_rank(vector, wanted)


def full_text(dialect: str) -> FullText:
    """The full-text search of a database, by SQLAlchemy's name of its dialect."""
    return SqliteFullText() if dialect == "sqlite" else PostgresFullText()


def _vector(parts: Iterable[tuple[str, Sequence[str]]]) -> str:
    """The text of a ``tsvector``. Words are letters and digits alone, so none needs escaping."""
    place = 0
    entries: list[str] = []
    for weight, found in parts:
        for word in found:
            place = min(place + 1, _MAX_POSITION)
            entries.append(f"'{word}':{place}{weight}")
    return " ".join(entries)
