"""Summary and hint of the errors of the markets that keep records, and of the court for doubts.

They go into ``explanations`` with the others; here because they are many.
"""

from __future__ import annotations

from collections.abc import Mapping

_NAMED = ("the request names another executor", "only the named executor may take it on")
_STATE = (
    "the request is not where that step needs it, or other details of it were shown",
    "see where it stands: gateless lazy result ID; details must be exactly those of its events",
)
_WAIT = ("it is too early for that", "try again after the deadline that the error names")
_LATE = ("it is too late for that", "the deadline that the error names is over")

#: Summary and hint by error name.
RECORD_ERRORS: Mapping[str, tuple[str, str]] = {
    "RecordMarket_OtherRecord": _STATE,
    "RecordMarket_InvalidSignature": (
        "the requester did not sign that",
        "sign exactly the request that is sent, for this market and chain",
    ),
    "RecordMarket_NonceUsed": (
        "that nonce was used or cancelled",
        "take another one: any number that was not used at this market",
    ),
    "RecordMarket_NotRequester": (
        "only the requester may do that",
        "use the wallet that made the request",
    ),
    "RecordMarket_ModeNotAllowed": (
        "the version does not allow that trust mode",
        "gateless model show lists what it allows",
    ),
    "RecordMarket_UndeliverableOutput": (
        "the version's outputs are longer than any answer at this market may be",
        "ask for another version, or in another trust mode",
    ),
    "RecordMarket_InputDigestMismatch": (
        "the input is not the one that the request names",
        "pack the input of this request again",
    ),
    "RecordMarket_OutputDigestMismatch": (
        "the output is not the one that was answered",
        "take the bytes from the request's Answered event",
    ),
    "RecordMarket_NotEnoughGasForCallback": (
        "the transaction has too little gas for the callback",
        "send it with more: what the request promises to its callback must be there",
    ),
    "RecordMarket_NothingDone": (
        "none of the calls could be made",
        "send one of them by itself to see why",
    ),
    "LazyMarket_NoUsableCircuit": (
        "the version has no circuit that proves one inference",
        "ask for another version",
    ),
    "LazyMarket_InsufficientBacking": (
        "the backing that is not used is too little",
        "put more stake behind the answers: gateless lazy back",
    ),
    "LazyMarket_ResponseWindowOutOfRange": (
        "the time for a proof is out of range",
        "leave at least the proof time that the version states",
    ),
    "LazyMarket_NotNamedExecutor": _NAMED,
    "LazyMarket_NamedCannotCancel": (
        "the request names an executor",
        "it can be refunded after its deadline",
    ),
    "LazyMarket_NotExpired": _WAIT,
    "LazyMarket_StillChallengeable": _WAIT,
    "LazyMarket_Expired": _LATE,
    "LazyMarket_ChallengeWindowOver": _LATE,
    "LazyMarket_ResultKept": ("the result is kept already", "read it: gateless lazy result ID"),
    "DisputeCourt_AlreadyDisputed": (
        "somebody doubts that answer already",
        "one dispute is enough: it must be proven, or its executor is slashed",
    ),
    "DisputeCourt_NotCommitted": (
        "nobody committed to that challenge",
        "commit first and open it in a later block: gateless lazy challenge does both",
    ),
    "DisputeCourt_CommittedInThisBlock": (
        "the commitment is too young",
        "open the challenge in a later block",
    ),
    "DisputeCourt_NoSeed": (
        "the lot's block is not there yet, or forgotten",
        "a lot can be drawn from the second block after the answer, for 256 blocks",
    ),
    "DisputeCourt_NotDrawn": ("the lot did not fall on that answer", ""),
    "DisputeCourt_ProofOfAnotherClaim": (
        "the proof does not show that answer",
        "the answer is another than what the model gives for this input: it cannot be proven",
    ),
    "DisputeCourt_NothingToSettle": (
        "nothing there can be proven any more",
        "the answers are final, or their time for a proof is over",
    ),
    "DisputeCourt_NotOverdue": _WAIT,
    "DisputeCourt_NotDisputed": ("nobody doubts that answer", "challenge it first"),
}
