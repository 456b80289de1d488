"""A signer whose key is in another process: Web3Signer, or anything that speaks like it.

The JSON-RPC is that of Web3Signer's Ethereum mode
(https://docs.web3signer.consensys.io/reference/api/json-rpc): ``eth_accounts``,
``eth_signTransaction`` and ``eth_signTypedData``. What comes back is believed only as far as it can
be checked: a transaction must say field by field what was asked, and every signature must be the
account's. So a signer that was taken over can refuse, but not make us send something else.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.address import is_address, to_checksum_address
from pydantic_core import from_json

from gateless.adapters.bounded_http import request_bounded
from gateless.adapters.chain.prepared import decode_transaction
from gateless.adapters.signer.typed_data import full_message
from gateless.core.errors import ChainError, WalletError
from gateless.core.urls import shown

DEFAULT_TIMEOUT_SECONDS = 10.0
_SIGNATURE_BYTES = 65
_MAX_ANSWER_BYTES = 4 << 20


class ExternalSigner:
    """One account of an external signer. Made by :func:`open_external_signer`.

    Args:
        http: client for it.
        url: its JSON-RPC endpoint.
        address: the account.
    """

    def __init__(self, http: httpx.AsyncClient, url: str, address: str) -> None:
        self._http = http
        self._url = url
        self._address = to_checksum_address(address)

    @property
    def address(self) -> str:
        """EIP-55 address of the account."""
        return self._address

    async def sign_transaction(self, tx: Mapping[str, Any]) -> bytes:
        """The raw signed transaction.

        Raises:
            WalletError: ``signer-unreachable``, ``signer-refused``, ``signer-invalid``;
                ``signer-mismatch``: it signed something else, or with another key.
        """
        asked = {key: hex(value) if isinstance(value, int) else value for key, value in tx.items()}
        answer = await self._ask("eth_signTransaction", [{"from": self._address, **asked}])
        # geth and clef return the decoded transaction beside the bytes.
        raw = self._bytes(answer.get("raw") if isinstance(answer, dict) else answer)
        try:
            said = decode_transaction(raw)
        except ChainError as error:
            raise self._invalid(error.message) from error
        if said.sender != self._address:
            raise self._mismatch("sender", self._address, said.sender)
        fields = said.fields()
        wanted = {**tx, "to": to_checksum_address(tx["to"])}
        for name in sorted(fields.keys() | wanted.keys()):
            if fields.get(name) != wanted.get(name):
                raise self._mismatch(name, wanted.get(name), fields.get(name))
        return raw

    async def sign_typed_data(
        self,
        domain: Mapping[str, Any],
        types: Mapping[str, Any],
        primary_type: str,
        message: Mapping[str, Any],
    ) -> bytes:
        """65-byte EIP-712 signature.

        Raises:
            WalletError: as :meth:`sign_transaction`.
        """
        document = full_message(domain, types, primary_type, message)
        spelled = json.dumps({**document, "message": _spell(document["message"])}, default=_hex)
        answer = await self._ask("eth_signTypedData", [self._address, spelled])
        signature = self._bytes(answer)
        if len(signature) != _SIGNATURE_BYTES:
            raise self._invalid(f"a signature has {_SIGNATURE_BYTES} bytes, not {len(signature)}")
        if signature[-1] < 27:  # some say only which of two points it is
            signature = signature[:-1] + bytes([signature[-1] + 27])
        try:
            by = Account.recover_message(
                encode_typed_data(full_message=document), signature=signature
            )
        except Exception as error:  # eth_keys has a tree of its own, which eth_account hides
            raise self._invalid("its signature is none") from error
        if by != self._address:
            raise self._mismatch("signature", self._address, by)
        return signature

    def __repr__(self) -> str:
        return f"ExternalSigner({self._address} at {shown(self._url)})"

    async def accounts(self) -> list[str]:
        """Addresses that it signs for.

        Raises:
            WalletError: ``signer-unreachable``, ``signer-refused``, ``signer-invalid``.
        """
        found = await self._ask("eth_accounts", [])
        if not isinstance(found, list) or not all(is_address(entry) for entry in found):
            raise self._invalid("eth_accounts is no list of addresses")
        return [to_checksum_address(entry) for entry in found]

    async def _ask(self, method: str, params: list[Any]) -> Any:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            response = await request_bounded(
                self._http, "POST", self._url, most=_MAX_ANSWER_BYTES, json=question
            )
            response.raise_for_status()
            answer = from_json(response.content)
        except httpx.HTTPStatusError as error:
            raise WalletError(
                "signer-refused",
                f"the external signer refused {method} with HTTP {error.response.status_code}",
                hint="check the signer's address, its log, and that it needs no credentials",
                method=method,
            ) from None  # the cause spells the whole URL, which may hold a credential
        except httpx.HTTPError as error:
            raise WalletError(
                "signer-unreachable",
                f"cannot reach the external signer at {shown(self._url)} for {method}",
                hint="check that it runs and that the URL is right; what waits is tried again",
                method=method,
                cause=str(error) or type(error).__name__,
            ) from error
        except ValueError as error:
            raise self._invalid("its answer is no JSON") from error
        if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
            raise self._invalid("its answer is no JSON-RPC")
        fault = answer.get("error")
        if fault is not None:
            text = fault.get("message", fault) if isinstance(fault, dict) else fault
            raise WalletError(
                "signer-refused",
                f"the external signer refused {method}: {str(text)[:200]}",
                hint=f"check that it holds the key of {self._address} and allows {method}",
                method=method,
            )
        return answer["result"]

    def _bytes(self, value: Any) -> bytes:
        try:
            return bytes.fromhex(value.removeprefix("0x"))
        except (AttributeError, ValueError) as error:
            raise self._invalid("its answer is no hex data") from error

    def _invalid(self, why: str) -> WalletError:
        return WalletError(
            "signer-invalid",
            f"what the external signer at {shown(self._url)} answered is of no use: {why}",
            hint="check that the URL is that of a signer for Ethereum: `web3signer eth1`, say",
        )

    def _mismatch(self, what: str, wanted: Any, found: Any) -> WalletError:
        return WalletError(
            "signer-mismatch",
            f"the external signer signed something else: {what} is {str(found)[:80]}, not"
            f" {str(wanted)[:80]}",
            hint="nothing was sent. Check its chain id, key and version; if those are right, it was"
            " tampered with",
            field=what,
        )


@asynccontextmanager
async def open_external_signer(
    url: str, address: str | None = None, *, seconds: float = DEFAULT_TIMEOUT_SECONDS
) -> AsyncIterator[ExternalSigner]:
    """An account of an external signer, after asking whether it has it.

    Args:
        url: JSON-RPC endpoint.
        address: the account; None where the signer has one only.
        seconds: time for an answer.

    Raises:
        WalletError: ``signer-account-unknown``, ``signer-unreachable``, ``signer-refused``,
            ``signer-invalid``.
    """
    async with httpx.AsyncClient(timeout=seconds) as http:
        anyone = ExternalSigner(http, url, address or "0x" + "00" * 20)
        accounts = await anyone.accounts()
        if address is None and len(accounts) == 1:
            yield ExternalSigner(http, url, accounts[0])
            return
        if address is None or anyone.address not in accounts:
            raise WalletError(
                "signer-account-unknown",
                f"the external signer has {', '.join(accounts) or 'no account'}"
                + (f", not {anyone.address}" if address else ": which one?"),
                hint="name one of its accounts: --signer-address 0x…",
                accounts=accounts,
            )
        yield anyone


def _spell(value: Any) -> Any:
    """JSON numbers lose digits elsewhere: integers are text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _spell(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_spell(entry) for entry in value]
    return value


def _hex(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    raise TypeError(f"{type(value).__name__} has no place in typed data")
