from __future__ import annotations

import hashlib

import pytest
from gateless.core.errors import InputError
from gateless.core.ids import cid_of, parse_digest, sha256_hex, split_version_id, version_id
from hypothesis import given
from hypothesis import strategies as st

#: well-known CIDs of raw blocks: the empty one, and "hello world" without and with a newline
VECTORS = {
    b"": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    b"hello world": "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
    b"hello world\n": "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4",
}


@pytest.mark.parametrize("data", VECTORS)
def test_cid_vectors(data: bytes) -> None:
    assert cid_of(sha256_hex(data)) == VECTORS[data]
    assert parse_digest(VECTORS[data]) == hashlib.sha256(data).hexdigest()


@given(st.binary(min_size=32, max_size=32))
def test_every_spelling_reads_back(raw: bytes) -> None:
    digest = raw.hex()
    for text in (digest, "0x" + digest, digest.upper(), f"  {digest}\n", cid_of(digest)):
        assert parse_digest(text) == digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00" * 31,
        "00" * 33,
        "zz" * 32,
        "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",  # dag-pb, not raw
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyk1",  # 1 is not base32
        "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o",  # version 0
    ],
)
def test_other_texts_are_no_digests(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_digest(text)
    assert error.value.code == "invalid-digest"
    assert error.value.hint


@given(st.integers(1, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_version_ids_round_trip(model: int, index: int) -> None:
    version = version_id(model, index)
    assert split_version_id(version) == (model, index)
    assert version < 2**64


@pytest.mark.parametrize(("model", "index"), [(0, 0), (-1, 0), (2**32, 0), (1, -1), (1, 2**32)])
def test_version_ids_stay_in_range(model: int, index: int) -> None:
    with pytest.raises(InputError) as error:
        version_id(model, index)
    assert error.value.code == "invalid-version-id"
