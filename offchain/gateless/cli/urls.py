"""Addresses that people give, looked at before anything is asked of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateless.core.errors import InputError
from gateless.core.urls import shown


def http_url(url: str, what: str) -> str:
    """An address that HTTP reaches, as it was given.

    Args:
        url: what was given.
        what: whose address it is, or which option gave it.

    Raises:
        InputError: ``invalid-url``; a key in it is not repeated.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_address = is_address and (parts.port is None or parts.port > 0)
    except ValueError:
        is_address = False
    if not is_address:
        spelled = shown(url) if "://" in url else "what was given"
        raise InputError(
            "invalid-url",
            f"{what}: {spelled} is no address that HTTP reaches",
            hint="give http:// or https://, a host and where needed a port and a path",
        )
    return url
