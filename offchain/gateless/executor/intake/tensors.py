"""Requests and answers of direct calls, in the words of the Open Inference Protocol, version 2.

https://github.com/open-inference/open-inference-protocol. Tensors are lists of numbers in
row-major order. What the protocol has no word for stands under ``parameters``.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gateless.core.errors import InputError
from gateless.core.manifest import Manifest
from gateless.core.types import ZERO_ADDRESS
from gateless.sdk.tensors import pack_inputs, unpack_outputs
from gateless.sdk.terms import checked_address

_Hex = Annotated[str, Field(pattern=r"^0x(?:[0-9a-fA-F]{2})*$")]
_Hex32 = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")]
_DataType = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "FP32", "FP64",
]  # fmt: skip


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputTensor(_Body):
    """One tensor of a call."""

    name: str = Field(max_length=256)
    shape: tuple[Annotated[int, Field(ge=0)], ...] = Field(max_length=16)
    datatype: _DataType
    data: list[Any]
    parameters: dict[str, Any] = Field(default_factory=dict)


class CallParameters(_Body):
    """What a receipt needs to know.

    Attributes:
        beneficiary: who is compensated if the output is wrong; nobody by default.
        question: 32 bytes of the caller's choice: equal calls with the same ones get the same
            receipt, so that a call that broke off can be made again.
        packed_input: the input as packed integers, in place of tensors.
        payment: a signed request for the same input, which names the executor: what pays.
    """

    beneficiary: str | None = None
    question: _Hex32 | None = None
    packed_input: _Hex | None = None
    payment: dict[str, Any] | None = None


class RequestedOutput(_Body):
    """An output that is asked for; all are given where none is named."""

    name: str = Field(max_length=256)
    parameters: dict[str, Any] = Field(default_factory=dict)


class InferRequest(_Body):
    """The body of a direct call."""

    id: str | None = Field(default=None, max_length=256)
    inputs: list[InputTensor] = Field(default_factory=list, max_length=255)
    outputs: list[RequestedOutput] = Field(default_factory=list, max_length=255)
    parameters: CallParameters = Field(default_factory=CallParameters)

    def beneficiary(self) -> str:
        """Who is compensated, as contracts spell it.

        Raises:
            InputError: ``invalid-address``.
        """
        return checked_address(self.parameters.beneficiary, "beneficiary") or ZERO_ADDRESS

    def packed(self, manifest: Manifest) -> bytes:
        """The input as packed integers.

        Raises:
            InputError: as :func:`gateless.sdk.tensors.pack_inputs`, and ``packed-and-tensors``.
        """
        given = self.parameters.packed_input
        if given is not None:
            if self.inputs:
                raise InputError(
                    "packed-and-tensors",
                    "the input was given as tensors and packed",
                    hint="give either inputs or parameters.packed_input",
                )
            return bytes.fromhex(given[2:])
        return pack_inputs(manifest, {tensor.name: _array(tensor) for tensor in self.inputs})


def output_tensors(manifest: Manifest, packed: bytes, asked: InferRequest) -> list[dict[str, Any]]:
    """An output as tensors of the protocol.

    Raises:
        InputError: ``unknown-output``.
    """
    reals, _ = unpack_outputs(manifest, packed)
    names = [output.name for output in asked.outputs] or list(reals)
    for name in names:
        if name not in reals:
            raise InputError(
                "unknown-output",
                f"there is no output {name!r}",
                hint=f"the model gives {', '.join(reals)}",
            )
    return [
        {
            "name": name,
            "shape": list(reals[name].shape),
            "datatype": "FP64",
            "data": reals[name].reshape(-1).tolist(),
        }
        for name in names
    ]


def model_metadata(name: str, manifest: Manifest, version: int) -> dict[str, Any]:
    """What the protocol says about a model."""

    def described(tensors: Any) -> list[dict[str, Any]]:
        return [
            {"name": tensor.name, "datatype": "FP64", "shape": list(tensor.shape)}
            for tensor in tensors
        ]

    return {
        "name": name,
        "versions": [str(version)],
        "platform": "gateless_circuit",
        "inputs": described(manifest.inputs),
        "outputs": described(manifest.outputs),
    }


def _array(tensor: InputTensor) -> Any:
    try:
        array = np.asarray(tensor.data)
    except ValueError as error:
        raise _wrong_shape(tensor, "is not a rectangular array") from error
    if array.size != math.prod(tensor.shape):
        raise _wrong_shape(tensor, f"has {array.size} values, not those of its shape")
    return array.reshape(tensor.shape)


def _wrong_shape(tensor: InputTensor, why: str) -> InputError:
    return InputError(
        "wrong-shape",
        f"input {tensor.name!r} {why}",
        hint=f"its shape is stated as {list(tensor.shape)}; give the values in row-major order",
    )
