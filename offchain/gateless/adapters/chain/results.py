"""What nodes may answer, by method: everything else is no answer, and another endpoint is asked.

Checked once, where answers come in, so that whoever uses a result finds the members and digits that
it reads. Members that nobody here reads are not looked at. Source:
https://ethereum.github.io/execution-apis/
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

#: A number of at most 256 bits.
Quantity = Annotated[str, StringConstraints(pattern=r"^0[xX][0-9a-fA-F]{1,64}$")]
#: A block's number or time, a place in a block, or a nonce: such that any database takes it.
Height = Annotated[str, StringConstraints(pattern=r"^0[xX]0*[0-9a-fA-F]{1,15}$", max_length=66)]
Data = Annotated[str, StringConstraints(pattern=r"^0[xX]([0-9a-fA-F]{2})*$")]
Hash = Annotated[str, StringConstraints(pattern=r"^0[xX][0-9a-fA-F]{64}$")]
Address = Annotated[str, StringConstraints(pattern=r"^0[xX][0-9a-fA-F]{40}$")]


class _Members(BaseModel):
    """An object with at least these members."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Transaction(_Members):
    hash: Hash
    sender: Address = Field(alias="from")
    to: Address | None = None
    nonce: Height
    data: Data = Field(alias="input", default="0x")


class _Block(_Members):
    """Of a pending block some nodes know neither number nor hash."""

    number: Height | None = None
    hash: Hash | None = None
    parent: Hash = Field(alias="parentHash")
    timestamp: Height
    gas_limit: Height = Field(alias="gasLimit")
    base_fee: Quantity | None = Field(alias="baseFeePerGas", default=None)
    logs_bloom: Data | None = Field(alias="logsBloom", default=None)
    transactions: list[Hash | _Transaction] = Field(default_factory=list)


class _Log(_Members):
    address: Address
    topics: list[Hash]
    data: Data
    block_number: Height = Field(alias="blockNumber")
    block_hash: Hash = Field(alias="blockHash")
    transaction_hash: Hash = Field(alias="transactionHash")
    log_index: Height = Field(alias="logIndex")
    removed: bool | None = None


class _Receipt(_Members):
    transaction_hash: Hash = Field(alias="transactionHash")
    block_number: Height = Field(alias="blockNumber")
    gas_used: Height = Field(alias="gasUsed")
    status: Height
    price: Quantity = Field(alias="effectiveGasPrice", default="0x0")
    logs: list[_Log]


_QUANTITY: TypeAdapter[Any] = TypeAdapter(Quantity)
_HEIGHT: TypeAdapter[Any] = TypeAdapter(Height)
_DATA: TypeAdapter[Any] = TypeAdapter(Data)
_RESULTS: dict[str, TypeAdapter[Any]] = {
    "eth_blockNumber": _HEIGHT,
    "eth_call": _DATA,
    "eth_chainId": _QUANTITY,
    "eth_estimateGas": _HEIGHT,
    "eth_gasPrice": _QUANTITY,
    "eth_getBalance": _QUANTITY,
    "eth_getBlockByNumber": TypeAdapter(_Block | None),
    "eth_getCode": _DATA,
    "eth_getLogs": TypeAdapter(list[_Log]),
    "eth_getTransactionByHash": TypeAdapter(_Transaction | None),
    "eth_getTransactionCount": _HEIGHT,
    "eth_getTransactionReceipt": TypeAdapter(_Receipt | None),
    "eth_maxPriorityFeePerGas": _QUANTITY,
    "eth_sendRawTransaction": TypeAdapter(Hash),
}
#: Methods whose results are checked.
CHECKED = frozenset(_RESULTS)


def is_result(method: str, result: Any) -> bool:
    """Whether a node may answer that to a method; true of methods that are not known here."""
    known = _RESULTS.get(method)
    if known is None:
        return True
    try:
        known.validate_python(result)
    except ValidationError:
        return False
    return True
