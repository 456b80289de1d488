from __future__ import annotations

import pytest
from gateless.adapters.storage import ContentHint, content_hint, parse_hint
from gateless.core.errors import InputError
from gateless.core.ids import cid_of, sha256_hex

DIGEST = sha256_hex(b"input")


@pytest.mark.parametrize("base", [None, "http://127.0.0.1:8000", "https://store.example.org/a"])
def test_a_spelled_hint_is_read_back(base: str | None) -> None:
    assert parse_hint(content_hint(DIGEST, base)) == ContentHint(DIGEST, base)


@pytest.mark.parametrize("text", [DIGEST, cid_of(DIGEST), f" 0x{DIGEST} ", f"ipfs://{DIGEST}"])
def test_bare_digests_are_read(text: str) -> None:
    assert parse_hint(text) == ContentHint(DIGEST)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file:///etc/passwd",
        f"http://host/{DIGEST}",
        "http://host/v1/content/nonsense",
        f"http:///v1/content/{DIGEST}",
        f"ftp://host/v1/content/{DIGEST}",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_hint(text)
    assert caught.value.code == "invalid-input-hint"
