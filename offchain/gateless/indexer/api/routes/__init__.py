"""The API's lists and single things."""

from __future__ import annotations

from fastapi import APIRouter

from gateless.indexer.api import answers
from gateless.indexer.api.routes.accounts import add_accounts
from gateless.indexer.api.routes.executors import add_executors
from gateless.indexer.api.routes.models import add_models
from gateless.indexer.api.routes.requests import add_requests
from gateless.indexer.api.routes.search import add_search
from gateless.indexer.reader import IndexReader


def api_routes(reader: IndexReader, token: answers.Token) -> APIRouter:
    """All that is read from the index.

    Args:
        reader: of the index.
        token: in whose units amounts are.
    """
    router = APIRouter(prefix="/v1")
    add_search(router, reader, token)
    add_models(router, reader, token)
    add_executors(router, reader, token)
    add_requests(router, reader, token)
    add_accounts(router, reader, token)
    return router
