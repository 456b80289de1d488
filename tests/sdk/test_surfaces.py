"""The two shells offer the same methods."""

from __future__ import annotations

import inspect

import gateless.sdk
from gateless.sdk import AsyncGateless, Gateless


def _operations() -> dict[str, object]:
    return {
        name: value
        for name, value in inspect.getmembers(AsyncGateless)
        if not name.startswith("_") and inspect.iscoroutinefunction(value)
    }


def test_every_asynchronous_operation_has_a_blocking_twin() -> None:
    own = {"connect", "close"}  # written out: they make and end the loop's thread
    wanted = set(_operations()) - own
    assert {"publish", "infer", "stake", "audit"} <= wanted
    assert {name for name in wanted if not hasattr(Gateless, name)} == set()
    for name in wanted:
        assert vars(Gateless)[name].method is getattr(AsyncGateless, name), name


def test_connect_takes_the_same() -> None:
    def taken(shell: object) -> list[tuple[str, object]]:
        parameters = inspect.signature(shell.connect).parameters.values()  # type: ignore[attr-defined]
        return [(parameter.name, parameter.default) for parameter in parameters]

    assert taken(Gateless) == taken(AsyncGateless)


def test_every_operation_is_documented() -> None:
    undocumented = [name for name, value in _operations().items() if not inspect.getdoc(value)]
    assert undocumented == []


def test_all_listed_names_exist() -> None:
    names = dir(gateless.sdk)
    assert "AsyncGateless" in names
    for name in names:
        assert getattr(gateless.sdk, name) is not None
