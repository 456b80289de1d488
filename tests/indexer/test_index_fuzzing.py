"""Whatever is asked, the answer is one of those that the OpenAPI document promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import schemathesis
from fastapi import FastAPI
from gateless.core.errors import InputError
from gateless.indexer.cursors import read_cursor, write_cursor
from gateless.indexer.search import Wanted, search
from gateless.indexer.text import clean_text
from gateless.indexer.words import alikeness, gram_words, words
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from index_fixtures import asking, filled_index, told_app
from schemathesis import GenerationMode, Response
from schemathesis.specs.openapi.checks import positive_data_acceptance

BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)


class Fuzzed:
    """The application, its client and what it promises."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, reader: Any) -> None:
        self.client = client
        self.reader = reader
        self.document = app.openapi()
        self.promised = schemathesis.openapi.from_dict(self.document)


@pytest_asyncio.fixture(loop_scope="session", scope="module", params=["sqlite", "postgresql"])
async def fuzzed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fuzzed]:
    from gateless.adapters.db import DatabaseUrl

    if request.param == "sqlite":
        url = DatabaseUrl.of_path(tmp_path_factory.mktemp("fuzzed") / "index.db")
    else:
        url = DatabaseUrl.parse(request.getfixturevalue("postgresql")())
    async with filled_index(url) as (_, reader):
        app = told_app(reader)
        async with asking(app) as client:
            yield Fuzzed(app, client, reader)


def operations() -> list[str]:
    """Paths of the document."""
    document = told_app(None).openapi()  # type: ignore[arg-type]
    assert all(list(methods) == ["get"] for methods in document["paths"].values())
    return sorted(document["paths"])


def cases(operation: Any, mode: GenerationMode) -> list[Any]:
    """Requests that the document allows, or such as it does not."""
    found: list[Any] = []

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(case)

    collect()
    return found


@pytest.mark.parametrize("path", operations())
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_answers_are_as_promised(fuzzed: Fuzzed, path: str, mode: GenerationMode) -> None:
    takes = fuzzed.document["paths"][path]["get"].get("parameters")
    if mode is GenerationMode.NEGATIVE and not takes:
        pytest.skip("takes nothing that could be wrong")
    for case in cases(fuzzed.promised[path]["GET"], mode):
        told = case.as_transport_kwargs(base_url="http://index")
        response = await fuzzed.client.request(
            told["method"], told["url"], params=told.get("params"), headers=told.get("headers")
        )
        assert response.status_code < 500
        # Which cursors there are, no document can say.
        made_up = response.status_code == 400 and response.json()["code"] == "invalid-cursor"
        case.validate_response(
            Response.from_httpx(response, verify=True),
            excluded_checks=[positive_data_acceptance] if made_up else [],
        )


@BOUNDED
@given(text=st.text(max_size=120))
def test_any_text_is_cut_into_words_that_no_database_reads_as_operators(text: str) -> None:
    for word in (*words(text), *gram_words(words(text))):
        assert word and word.isalnum() and word == word.casefold()
    cleaned = clean_text(text, 50)
    assert len(cleaned) <= 50
    assert clean_text(cleaned, 50) == cleaned
    assert 0 <= alikeness(words(text), words(text)) <= 1


async def test_any_text_can_be_searched_for(fuzzed: Fuzzed) -> None:
    texts: list[str] = []

    @BOUNDED
    @given(text=st.text(max_size=60))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    for text in [
        *texts,
        "'",
        '"',
        "a' | b:*",
        'x" OR "y',
        "NEAR(a b)",
        "-",
        "*",
        "\u00df \u0131 \u0130 \u0149",
    ]:
        await fuzzed.reader.read(lambda connection, text=text: search(connection, Wanted(text)))


@BOUNDED
@given(text=st.text(max_size=80), values=st.lists(st.integers(0, 1 << 255), max_size=3))
def test_cursors_are_read_as_written_and_nothing_else_is_one(text: str, values: list[int]) -> None:
    kinds = [int] * len(values)
    assert read_cursor("list", write_cursor("list", values), kinds) == values
    with pytest.raises(InputError):
        read_cursor("other", write_cursor("list", values), kinds)
    with pytest.raises(InputError):
        read_cursor("list", text, kinds)
