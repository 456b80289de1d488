"""An account's money: wallet, deposit in the market, royalties."""

from __future__ import annotations

from gateless.adapters.chain import calls
from gateless.adapters.chain.permit import sign_permit
from gateless.core.amounts import format_amount
from gateless.core.errors import FundsError, InputError
from gateless.sdk.catalogue import Catalogue
from gateless.sdk.progress import ProgressSink, ignore
from gateless.sdk.results import Balances, Transfer
from gateless.sdk.terms import checked_address


class Accounts(Catalogue):
    """Moves the signer's own money."""

    async def balances(self, address: str | None = None) -> Balances:
        """What an account (default: the signer's) owns."""
        owner = checked_address(address, "account") or self.signer.address
        return Balances(
            address=owner,
            native_wei=await self.chain.native_balance(owner),
            wallet=await self.chain.token.balance_of(owner),
            market=await self.chain.market.balance_of(owner),
        )

    async def deposit(self, amount: int, *, progress: ProgressSink = ignore) -> Transfer:
        """Moves tokens from the wallet into the market, in one transaction.

        Raises:
            FundsError: ``token-balance-too-low``; nothing was sent.
        """
        _positive(amount)
        market = self.chain.market.address
        deadline = await self._permit_deadline()
        permit = await sign_permit(self.chain, self.signer, market, amount, deadline)
        _, sent = await self._send(calls.deposit_with_permit(permit), progress)
        return Transfer(amount, market, sent)

    async def withdraw(
        self,
        amount: int | None = None,
        *,
        to: str | None = None,
        progress: ProgressSink = ignore,
    ) -> Transfer:
        """Moves deposited or earned tokens out of the market (default: all) to ``to``.

        Raises:
            FundsError: ``nothing-to-withdraw``, ``balance-too-low``; nothing was sent.
        """
        held = await self.chain.market.balance_of(self.signer.address)
        if held == 0:
            raise FundsError(
                "nothing-to-withdraw",
                "the market holds nothing for this account",
                hint="see what the account owns: gateless wallet balance",
            )
        wanted = held if amount is None else _positive(amount)
        if wanted > held:
            token = self.chain.deployment.token
            raise FundsError(
                "balance-too-low",
                f"{format_amount(wanted, token)} asked for, {format_amount(held, token)} are there",
                hint="leave the amount out to withdraw everything",
                missing=wanted - held,
            )
        target = checked_address(to, "recipient") or self.signer.address
        _, sent = await self._send(calls.withdraw(wanted, target), progress)
        return Transfer(wanted, target, sent)

    async def withdraw_royalties(
        self, name: str, *, to: str | None = None, progress: ProgressSink = ignore
    ) -> Transfer:
        """Moves all royalties of a model to ``to``; only for the holder of the model's token.

        Raises:
            FundsError: ``nothing-to-withdraw``; nothing was sent.
        """
        model = await self._model_named(name)
        if model.royalties == 0:
            raise FundsError(
                "nothing-to-withdraw",
                f"{model.name!r} has earned no royalties since the last withdrawal",
                hint="royalties come with every paid request of its versions",
            )
        target = checked_address(to, "recipient") or self.signer.address
        receipt, sent = await self._send(calls.withdraw_royalty(model.model_id, target), progress)
        paid = int(receipt.event("RoyaltyWithdrawn").args["amount"])
        return Transfer(paid, target, sent)


def _positive(amount: int) -> int:
    if amount <= 0:
        raise InputError("invalid-amount", "the amount must be more than zero")
    return amount
