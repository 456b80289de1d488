"""Input hints: how a request tells executors where its packed input lies.

A hint is advice from a stranger. It names content by digest, so that a store can neither choose nor
change what is fetched, and optionally a server that has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateless.adapters.storage.http import CONTENT_PATH, check_base_url
from gateless.core.errors import InputError
from gateless.core.ids import cid_of, parse_digest


@dataclass(frozen=True, slots=True)
class ContentHint:
    """Where content may be found: its digest, and a store's base URL where one was named."""

    sha256: str
    base_url: str | None = None


def content_hint(sha256: str, base_url: str | None = None) -> str:
    """Spells a hint: the store's URL of the content, or ``ipfs://<cid>`` without a store."""
    cid = cid_of(sha256)
    if base_url is None:
        return f"ipfs://{cid}"
    return f"{check_base_url(base_url)}{CONTENT_PATH}{cid}"


def parse_hint(text: str) -> ContentHint:
    """Reads a hint: a CID or sha256, ``ipfs://<cid>``, or ``http(s)://…/v1/content/<cid>``.

    Raises:
        InputError: ``invalid-input-hint``.
    """
    hint = text.strip()
    try:
        if hint.startswith(("http://", "https://")):
            base, path, digest = hint.rpartition(CONTENT_PATH)
            if path:
                return ContentHint(parse_digest(digest), check_base_url(base))
        else:
            return ContentHint(parse_digest(hint.removeprefix("ipfs://")))
    except InputError:
        pass
    raise InputError(
        "invalid-input-hint",
        f"{text[:200]!r} does not say where the input is",
        hint="give a CID, ipfs://<cid>, or the address of the content in a content store",
    )
