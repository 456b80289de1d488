"""Where files come from: the own store first, then everybody who may have them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import httpx

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.storage import BlobStore, CachingStore, HttpStore, LocalStore
from gateless.core.errors import InputError
from gateless.core.types import VersionInfo

#: Executors that are asked for a bundle at a time. Anybody may enrol, and be slow.
_ASKED = 8


class ContentSources:
    """Builds the store to read from for one purpose.

    Args:
        local: the own store: read first, keeps and serves what was fetched.
        http: client for other people's stores.
        stores: base URLs asked before any other.
        follow_uris: whether to ask the stores that strangers name (publishers, requesters, other
            executors).
    """

    def __init__(
        self,
        local: LocalStore,
        http: httpx.AsyncClient,
        *,
        stores: tuple[str, ...] = (),
        follow_uris: bool = True,
    ) -> None:
        self.local = local
        self._http = http
        self._stores = stores
        self._follow_uris = follow_uris

    def store(self, named: Iterable[str] = ()) -> BlobStore:
        """The own store, backed by the configured ones and those ``named`` by strangers."""
        urls = list(self._stores)
        if self._follow_uris:
            for url in named:
                try:
                    HttpStore([url], self._http)
                except InputError:
                    continue  # empty, or a scheme of the future
                urls.append(url)
        return CachingStore(self.local, HttpStore(list(dict.fromkeys(urls)), self._http))

    async def store_for(self, version: VersionInfo, client: ChainClient, me: str) -> BlobStore:
        """The store for a version's bundle: its publisher's, and other executors' of it.

        Of many executors some are taken at random: each look asks others, so that none that are
        slow, however many, keep the files away for long.
        """
        named = [version.uri]
        if self._follow_uris:
            enrolled = await client.staking.enrolled_executors(version.version_id)
            others = [address for address in enrolled if address.lower() != me.lower()]
            for address in secrets.SystemRandom().sample(others, min(_ASKED, len(others))):
                named.append((await client.staking.executor(address)).endpoint)
        return self.store(named)
