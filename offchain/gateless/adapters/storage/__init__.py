"""Content-addressed storage: a file's identity is its sha256, whoever hosts it."""

from __future__ import annotations

from gateless.adapters.storage.bundles import fetch_bundle, put_bundle
from gateless.adapters.storage.caching import CachingStore
from gateless.adapters.storage.guarded import guarded_client
from gateless.adapters.storage.hints import ContentHint, content_hint, parse_hint
from gateless.adapters.storage.http import HttpStore, StoreLimits
from gateless.adapters.storage.local import LocalStore
from gateless.adapters.storage.protocol import DEFAULT_MAX_BYTES, BlobStore, ByteProgress
from gateless.adapters.storage.server import create_app

__all__ = [
    "DEFAULT_MAX_BYTES",
    "BlobStore",
    "ByteProgress",
    "CachingStore",
    "ContentHint",
    "HttpStore",
    "LocalStore",
    "StoreLimits",
    "content_hint",
    "create_app",
    "fetch_bundle",
    "guarded_client",
    "parse_hint",
    "put_bundle",
]
