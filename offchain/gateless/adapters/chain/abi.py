"""Encoding and decoding by ABI: structs as mappings, addresses as EIP-55 strings.

Source: https://docs.soliditylang.org/en/latest/abi-spec.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from eth_abi.abi import encode
from eth_abi.codec import ABIDecoder
from eth_abi.decoding import StringDecoder
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import BaseEquals
from eth_abi.registry import registry as default_registry
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from gateless.core.addresses import to_checksum_address
from gateless.core.errors import ChainError, InputError

Parameters = Sequence[Mapping[str, Any]]


def _lenient_decoder() -> ABIDecoder:
    """Reads strings that are no UTF-8 too, with U+FFFD for what is none.

    The chain does not check them: a stranger's hint may not keep anybody from reading the log.
    """
    registry = cast(Any, default_registry).copy()
    registry.unregister_decoder("string")
    registry.register_decoder(
        cast(Any, BaseEquals)("string", with_sub=False),
        cast(Any, StringDecoder)(handle_string_errors="replace"),
        label="string",
    )
    return ABIDecoder(registry)


_decoder = _lenient_decoder()


def _types(parameters: Parameters) -> list[str]:
    return [collapse_if_tuple(cast(Any, parameter)) for parameter in parameters]


def _flatten(parameter: Mapping[str, Any], value: Any) -> Any:
    """Named values to the positional form that eth_abi takes."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return [_flatten(inner, item) for item in value]
    if kind != "tuple":
        return value
    components: Parameters = parameter["components"]
    if isinstance(value, Mapping):
        value = [value[component["name"]] for component in components]
    return tuple(
        _flatten(component, item) for component, item in zip(components, value, strict=True)
    )


def _name(parameter: Mapping[str, Any], value: Any) -> Any:
    """Positional values as eth_abi returns them to the named form."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return [_name(inner, item) for item in value]
    if kind == "tuple":
        return _name_all(parameter["components"], value)
    if kind == "address":
        return to_checksum_address(value)
    return value


def _name_all(parameters: Parameters, values: Iterable[Any]) -> dict[str, Any]:
    return {
        parameter["name"] or f"arg{position}": _name(parameter, value)
        for position, (parameter, value) in enumerate(zip(parameters, values, strict=True))
    }


def decode_parameters(parameters: Parameters, data: bytes) -> dict[str, Any]:
    """ABI-decodes ``data`` to a mapping by parameter name (``arg0``… where unnamed).

    Raises:
        ChainError: ``invalid-response``.
    """
    try:
        return _name_all(parameters, _decoder.decode(_types(parameters), data))
    except (DecodingError, ValueError, OverflowError) as error:
        raise ChainError(
            "invalid-response",
            "the chain answered with bytes that do not fit the contract's interface",
            hint="check that the deployments file and this release belong together",
        ) from error


def encode_parameters(parameters: Parameters, values: Sequence[Any]) -> bytes:
    """ABI-encodes values; structs are mappings by field name.

    Raises:
        InputError: ``invalid-argument``.
    """
    try:
        flat = [
            _flatten(parameter, value) for parameter, value in zip(parameters, values, strict=True)
        ]
        return bytes(encode(_types(parameters), flat))
    except (EncodingError, ValueError, TypeError, KeyError) as error:
        wanted = ", ".join(_types(parameters))
        raise InputError("invalid-argument", f"arguments do not fit ({wanted}): {error}") from error


@dataclass(frozen=True, slots=True)
class AbiItem:
    """A function, an error or an event."""

    name: str
    signature: str
    inputs: Parameters
    outputs: Parameters

    @property
    def topic(self) -> bytes:
        """keccak256 of the signature: an event's first topic."""
        return bytes(keccak(text=self.signature))

    @property
    def selector(self) -> bytes:
        """First four bytes of it: a function's or an error's selector."""
        return self.topic[:4]

    def encode_call(self, *values: Any) -> bytes:
        """Calldata of a call."""
        return self.selector + encode_parameters(self.inputs, values)

    def decode_result(self, data: bytes) -> Any:
        """The result of a call: one value bare, several as mapping by name."""
        named = decode_parameters(self.outputs, data)
        return next(iter(named.values())) if len(named) == 1 else named

    def decode_error(self, data: bytes) -> dict[str, Any]:
        """Arguments of an error from revert data."""
        return decode_parameters(self.inputs, data[4:])

    def decode_log(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Arguments of an event, in declaration order.

        An indexed argument of dynamic type is known by its hash only, which stands in its place.
        """
        indexed = [entry for entry in self.inputs if entry.get("indexed")]
        plain = [entry for entry in self.inputs if not entry.get("indexed")]
        if len(topics) != len(indexed) + 1:
            raise ChainError("invalid-response", f"a log of {self.name} has the wrong topics")
        named = decode_parameters(plain, data)
        for entry, topic in zip(indexed, topics[1:], strict=True):
            kind = entry["type"]
            dynamic = kind in ("string", "bytes", "tuple") or kind.endswith("]")
            named[entry["name"]] = (
                topic if dynamic else decode_parameters([entry], topic)[entry["name"]]
            )
        return {entry["name"]: named[entry["name"]] for entry in self.inputs}


class ContractAbi:
    """The ABI of one contract, indexed."""

    def __init__(self, name: str, abi: Sequence[Mapping[str, Any]]) -> None:
        self.name = name
        self._functions: dict[str, list[AbiItem]] = {}
        self.errors: dict[bytes, AbiItem] = {}
        self.events: dict[str, AbiItem] = {}
        self.constructor_inputs: Parameters = ()
        for entry in abi:
            kind = entry["type"]
            if kind == "constructor":
                self.constructor_inputs = entry["inputs"]
            elif kind in ("function", "error", "event"):
                item = AbiItem(
                    entry["name"],
                    f"{entry['name']}({','.join(_types(entry['inputs']))})",
                    entry["inputs"],
                    entry.get("outputs", ()),
                )
                if kind == "function":
                    self._functions.setdefault(item.name, []).append(item)
                elif kind == "error":
                    self.errors[item.selector] = item
                else:
                    self.events[item.name] = item

    def function(self, name: str, arguments: int | None = None) -> AbiItem:
        """A function by name; ``arguments`` tells overloads apart.

        Raises:
            ChainError: ``unknown-function``: the ABI is of another release.
        """
        found = [
            item
            for item in self._functions.get(name, ())
            if arguments is None or len(item.inputs) == arguments
        ]
        if len(found) != 1:
            raise ChainError(
                "unknown-function",
                f"{self.name} has {len(found)} functions {name!r} with {arguments} arguments",
                hint="run `make build` so that artifacts and code belong together",
            )
        return found[0]

    def encode_call(self, name: str, *values: Any) -> bytes:
        """Calldata of a call by function name."""
        return self.function(name, len(values)).encode_call(*values)
