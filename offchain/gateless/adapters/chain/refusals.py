"""What a node's refusal of a signed transaction means. Nodes say it in words only."""

from __future__ import annotations

from enum import Enum


class Refusal(Enum):
    """Why a node did not take a transaction; ``hint`` says what to do."""

    ALREADY_KNOWN = ("already-known", "")
    NONCE_USED = ("nonce-used", "")
    NONCE_WAITING = ("nonce-waiting", "")
    GAS_MONEY = ("gas-money", "")
    UNDERPRICED = ("underpriced", "the network's fees rose; send it again with a higher fee")
    OTHER = ("other", "check the node's message")

    def __init__(self, code: str, hint: str) -> None:
        self.code = code
        self.hint = hint


#: Phrases of geth, anvil, Nethermind, Besu, Erigon and Reth; the first that matches decides.
_PHRASES: tuple[tuple[str, Refusal], ...] = (
    ("already known", Refusal.ALREADY_KNOWN),
    ("already imported", Refusal.ALREADY_KNOWN),
    ("already in mempool", Refusal.ALREADY_KNOWN),
    ("known transaction", Refusal.ALREADY_KNOWN),
    ("alreadyknown", Refusal.ALREADY_KNOWN),
    ("nonce too low", Refusal.NONCE_USED),
    ("nonce is too low", Refusal.NONCE_USED),
    ("oldnonce", Refusal.NONCE_USED),
    # The pool holds another transaction with this nonce, which offers as much.
    ("replacement transaction underpriced", Refusal.NONCE_WAITING),
    ("replacementnotallowed", Refusal.NONCE_WAITING),
    ("could not replace existing", Refusal.NONCE_WAITING),
    ("insufficient funds", Refusal.GAS_MONEY),
    ("insufficientfunds", Refusal.GAS_MONEY),
    ("upfront cost exceeds", Refusal.GAS_MONEY),
    ("underpriced", Refusal.UNDERPRICED),
    ("max fee per gas less than block base fee", Refusal.UNDERPRICED),
    ("feetoolow", Refusal.UNDERPRICED),
)


def classify_refusal(message: str) -> Refusal:
    """The meaning of a node's error text."""
    text = message.lower()
    return next((refusal for phrase, refusal in _PHRASES if phrase in text), Refusal.OTHER)
