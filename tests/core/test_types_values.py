from __future__ import annotations

import dataclasses

import pytest
from gateless.core.types import Event, Receipt, TrustMode, mask_of, modes_of


def test_modes_and_masks_are_each_others_inverse() -> None:
    for mask in range(16):
        assert mask_of(modes_of(mask)) == mask


def test_bits_are_those_of_the_contracts() -> None:
    assert [mode.bit for mode in TrustMode] == [1, 2, 4, 8]


def test_unknown_bits_are_no_modes() -> None:
    assert modes_of(0b1111_0001) == (TrustMode.ZK,)


def receipt(*names: str) -> Receipt:
    logs = tuple(Event(name, {"at": at}, 1, "0x", "0x", at) for at, name in enumerate(names))
    return Receipt("0xabc", 7, 21_000, 1, 3, logs)


def test_receipt_finds_its_first_event_of_a_name() -> None:
    assert receipt("Locked", "Paid", "Paid").event("Paid").args["at"] == 1


def test_receipt_says_which_event_is_missing() -> None:
    with pytest.raises(LookupError, match="0xabc emitted no Paid"):
        receipt("Locked").event("Paid")


def test_receipt_knows_what_it_cost() -> None:
    assert receipt().fee == 63_000


def test_values_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        receipt().status = 0  # type: ignore[misc]
