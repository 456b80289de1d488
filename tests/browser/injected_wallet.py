"""A wallet for tests: EIP-1193 and EIP-6963 in the page, the key and the chain in this process."""

from __future__ import annotations

import json
from typing import Any

from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.adapters.signer import LocalSigner
from playwright.async_api import Page

WALLET_NAME = "Test wallet"
_ICON = (
    "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 2 2'>"
    "<circle cx='1' cy='1' r='1' fill='orange'/></svg>"
)
_SCRIPT = """
(() => {
  const listeners = {};
  const provider = {
    async request({ method, params }) {
      const answer = await window.__wallet(method, params ?? []);
      if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
      return answer.result;
    },
    on(name, listener) { (listeners[name] ??= []).push(listener); },
    removeListener(name, listener) {
      listeners[name] = (listeners[name] ?? []).filter((one) => one !== listener);
    },
  };
  const uuid = "7d1f0c9e-0000-4000-8000-000000000001";
  window.__walletEmits = (name, value) => (listeners[name] ?? []).forEach((one) => one(value));
  const info = { uuid, name: "NAME", icon: "ICON", rdns: "test.wallet" };
  const announce = () => window.dispatchEvent(
    new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""
#: EIP-1193 and EIP-1474: the user declined; a chain that the wallet does not know.
DECLINED, UNKNOWN_CHAIN = 4001, 4902


class Refusal(Exception):
    """An error that the page is to see."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class InjectedWallet:
    """Signs whatever it is asked to, except where the test says otherwise.

    Attributes:
        chain_id: the chain that it says it is on.
        known_chains: chains to which it switches without being told about them first.
        declines: methods that its user says no to.
        asked: methods that it was asked for and that need its user, in order.
        signed: typed data that it signed.
    """

    def __init__(self, signer: LocalSigner, rpc: Rpc, chain_id: int = 31337) -> None:
        self._signer = signer
        self._rpc = rpc
        self._connected = False
        self.chain_id = chain_id
        self.known_chains = {chain_id}
        self.declines: set[str] = set()
        self.asked: list[str] = []
        self.signed: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        return self._signer.address

    async def change_account(self, page: Page, signer: LocalSigner | None) -> None:
        """Its user chooses another account, or lets the page see none any more."""
        self._connected = signer is not None
        self._signer = signer or self._signer
        accounts = [] if signer is None else [signer.address]
        await page.evaluate("(accounts) => __walletEmits('accountsChanged', accounts)", accounts)

    async def inject(self, page: Page) -> None:
        """Puts the wallet into every document of a page, before its scripts run."""
        await page.expose_function("__wallet", self._answer)
        await page.add_init_script(_SCRIPT.replace("NAME", WALLET_NAME).replace("ICON", _ICON))

    async def _answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        try:
            return {"result": await self._request(method, params)}
        except Refusal as refusal:
            return {"error": {"code": refusal.code, "message": str(refusal)}}
        except RpcError as error:
            return {"error": {"code": error.code, "message": str(error)}}

    async def _request(self, method: str, params: list[Any]) -> Any:
        if method in self.declines:
            raise Refusal(DECLINED, "the user declined")
        match method:
            case "eth_requestAccounts":
                self._connected = True
                return [self.address]
            case "eth_accounts":
                return [self.address] if self._connected else []
            case "eth_chainId":
                return hex(self.chain_id)
            case "wallet_addEthereumChain":
                self.asked.append(method)
                self.known_chains.add(int(params[0]["chainId"], 16))
                return None
            case "wallet_switchEthereumChain":
                self.asked.append(method)
                wanted = int(params[0]["chainId"], 16)
                if wanted not in self.known_chains:
                    raise Refusal(UNKNOWN_CHAIN, "this chain is unknown")
                self.chain_id = wanted
                return None
            case "eth_signTypedData_v4":
                self.asked.append(method)
                return await self._sign(json.loads(params[1]))
            case "eth_sendTransaction":
                self.asked.append(method)
                return await self._send(params[0])
            case _:
                return await self._rpc.request(method, *params)

    async def _sign(self, data: dict[str, Any]) -> str:
        types = {name: fields for name, fields in data["types"].items() if name != "EIP712Domain"}
        kinds = {field["name"]: field["type"] for field in types[data["primaryType"]]}
        message = {name: _value(kinds[name], value) for name, value in data["message"].items()}
        domain = {**data["domain"], "chainId": int(data["domain"]["chainId"])}
        self.signed.append(data)
        signature = await self._signer.sign_typed_data(domain, types, data["primaryType"], message)
        return "0x" + signature.hex()

    async def _send(self, transaction: dict[str, Any]) -> Any:
        call = {"from": self.address, "to": transaction["to"], "data": transaction["data"]}
        price = await self._rpc.quantity("eth_gasPrice")
        raw = await self._signer.sign_transaction(
            {
                "chainId": self.chain_id,
                "nonce": await self._rpc.quantity(
                    "eth_getTransactionCount", self.address, "pending"
                ),
                "to": transaction["to"],
                "data": transaction["data"],
                "value": int(transaction.get("value", "0x0"), 16),
                "gas": await self._rpc.quantity("eth_estimateGas", call) * 5 // 4,
                "maxFeePerGas": 2 * price,
                "maxPriorityFeePerGas": 0,
            }
        )
        return await self._rpc.request("eth_sendRawTransaction", "0x" + raw.hex())


def _value(kind: str, value: Any) -> Any:
    """JSON carries large integers as text."""
    if kind.startswith("uint"):
        return int(value)
    return bytes.fromhex(value[2:]) if kind.startswith("bytes") else value
