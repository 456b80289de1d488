"""Summary and hint of the contract errors about which the same is to be said every time.

Those whose explanation depends on the error's arguments are in ``explanations``.
"""

from __future__ import annotations

from collections.abc import Mapping

_HOLDER = (
    "only the model's holder may do that",
    "use the wallet that holds the model's token: gateless model show names it",
)
_DISAGREE = (
    "the proof does not show that",
    "the proof, input or output is of another version, input or run; prove again",
)

_ZERO = ("the amount is zero", "give an amount above zero")
_BAD_KEY = ("that is no verifying-key artifact", "take the words from the bundle's VKA file")

#: Summary and hint by error name.
FIXED: Mapping[str, tuple[str, str]] = {
    "TokenAccounts_ZeroAmount": _ZERO,
    "InferenceMarket_NoUsableCircuit": (
        "the version has no circuit that proves one inference",
        "ask for another version",
    ),
    "ExecutorStaking_ZeroAmount": _ZERO,
    "ExecutorStaking_NothingToWithdraw": ("there is nothing to withdraw", ""),
    "ExecutorStaking_AlreadyEnrolled": ("the executor serves that version already", ""),
    "ExecutorStaking_NotEnrolled": ("the executor does not serve that version", ""),
    "ModelRegistry_VersionOfOtherModel": (
        "the version is another model's",
        "an alias points at versions of its own model only",
    ),
    "ZkVerifier_InputLength": _DISAGREE,
    "ZkVerifier_OutputLength": _DISAGREE,
    "ZkVerifier_VkaTooShort": _BAD_KEY,
    "ZkVerifier_VkaTooLong": _BAD_KEY,
    "ERC721NonexistentToken": ("there is no such model", "gateless model list shows what there is"),
    "InferenceMarket_UnknownRequest": (
        "there is no such request",
        "check the request id and the network",
    ),
    "InferenceMarket_NotOpen": (
        "the request is not open any more",
        "see what became of it: gateless request show ID",
    ),
    "InferenceMarket_NotLocked": (
        "the request is not locked",
        "lock it first; it may also have ended",
    ),
    "InferenceMarket_NotRequester": (
        "only the requester may do that",
        "use the wallet that made the request",
    ),
    "InferenceMarket_NotNamedExecutor": (
        "the request names another executor",
        "only the named executor may lock it",
    ),
    "InferenceMarket_NotLockHolder": (
        "another executor holds the lock",
        "only the lock's holder may deliver the output",
    ),
    "InferenceMarket_NamedCannotCancel": (
        "a request that names its executor cannot be cancelled",
        "refund it after its deadline: the named executor shows his answer before he is paid",
    ),
    "InferenceMarket_OtherTerms": (
        "the request is not the one that was looked at",
        "look at it again: a reorganisation of the chain may have changed what its number means",
    ),
    "InferenceMarket_PriceTooLow": (
        "the price is lower than the executor asks",
        "wait for it to rise, or ask less",
    ),
    "InferenceMarket_InvalidRamp": (
        "the price cannot rise like that",
        "begin below the price and end before the deadline; without a ramp leave all of it out",
    ),
    "InferenceMarket_InvalidSignature": (
        "the requester did not sign exactly this",
        "ask for a new signature; nothing of what was signed may be changed, nor market or chain",
    ),
    "InferenceMarket_NonceUsed": (
        "a request with this nonce was locked or cancelled before",
        "it is somebody's already, or nobody's any more",
    ),
    "InferenceMarket_NotALock": (
        "something else than a lock is in the batch",
        "give calls of lock and lockSigned",
    ),
    "InferenceMarket_NothingLocked": (
        "none of the batch's requests could be locked",
        "lock one by itself to learn why",
    ),
    "SignatureValidator_NotEnoughGas": (
        "the transaction carries too little gas to ask the requester's account",
        "send it with more gas",
    ),
    "InferenceMarket_LockTooShort": (
        "too little time would be left to prove",
        "leave it to its refund, or to quicker executors",
    ),
    "ZkVerifier_TensorOverSeveralColumns": (
        "the input is too long for one commitment of this circuit",
        "use another version: this one cannot be answered",
    ),
    "ModelRegistry_ProofTooLarge": (
        "what one proof covers is too large to be verified in one transaction",
        "choose a smaller batch, bind inputs by commitment, or let the model put out less",
    ),
    "ModelRegistry_ProofTooLong": (
        "a circuit's proof is too long to be verified in one transaction",
        "build it with fewer columns",
    ),
    "ModelRegistry_BatchTooLarge": (
        "a circuit takes too many inferences at once",
        "choose a smaller batch",
    ),
    "ModelRegistry_BatchNotPacked": (
        "a commitment covers a whole batch and binds no single request",
        "build versions with batch circuits with packed inputs",
    ),
    "ModelRegistry_InvalidDigits": (
        "the digits of a dense circuit do not fit its tensors or a field element",
        "build the bundle again",
    ),
    "ModelRegistry_InvalidProofSeconds": (
        "a version with circuits states how long a proof takes, one without states nothing",
        "publish the bundle as it was built, which measured the time",
    ),
    "ModelRegistry_NotRepeatable": (
        "a quorum compares output bytes, and the version states that its outputs do not repeat",
        "publish it for other modes",
    ),
    "QuorumMarket_NotEnoughEligible": (
        "too little stake could be drawn into a quorum",
        "ask for less eligible stake, or another runtime class",
    ),
    "QuorumMarket_NoMajority": (
        "a quorum is more than half of the members",
        "raise the threshold",
    ),
    "QuorumMarket_SeedNotThere": (
        "the block that decides who is drawn is not there yet",
        "try again in some blocks",
    ),
    "QuorumMarket_SeedMissed": (
        "nobody drew the members while the chain knew the seed",
        "refund the request: gateless quorum advance ID",
    ),
    "QuorumMarket_RoundNotOver": (
        "members may still commit or reveal",
        "try again when the round is over",
    ),
    "AttestedMarket_NotAttested": (
        "the evidence does not show that the request's keys vouch for this answer by this sender",
        "have the keys sign this very output, for the account that brings it",
    ),
    "AttestedMarket_NotExpired": (
        "the request may still be answered",
        "try again after its deadline",
    ),
    "ResultBoard_NotFinal": (
        "the request has no final output",
        "look how it stands: gateless result show ID; a lazy one that became final among many is"
        " kept first: gateless lazy keep ID",
    ),
    "ResultBoard_Hidden": (
        "the result is on the board already, or a newer one with at least its bond is",
        "there is nothing to do",
    ),
    "ResultBoard_NeedsTerms": (
        "quorums and attestations mean nothing without saying whose",
        "name the runtime class, or the keys",
    ),
    "QuorumMembers_SeatsOpen": (
        "the member still sits in rounds",
        "try again when they are settled",
    ),
    "ZkVerifier_UnsupportedBatch": (
        "that circuit proves another number of inferences",
        "use the circuit for this number",
    ),
    "ZkVerifier_OutputCutOff": (
        "an output is the smallest integer of its width, where a dense circuit cuts off",
        "use the circuit for one inference, or inputs like those the model was calibrated with",
    ),
    "ZkVerifier_BatchNotPacked": (
        "the version binds inputs by commitment, which takes no batches",
        "prove them one by one",
    ),
    "InferenceMarket_EmptyBatch": ("the batch names no request", "name at least one"),
    "InferenceMarket_VersionMismatch": (
        "the batch mixes requests of several versions",
        "one proof answers one version",
    ),
    "InferenceMarket_NothingToFulfill": (
        "none of the batch's requests is locked by this executor and still in time",
        "look at them again; they were paid, refunded, or locked in this very block",
    ),
    "InferenceMarket_LockedInThisBlock": (
        "the lock is in this very block",
        "deliver the output one block later",
    ),
    "InferenceMarket_ModeNotAllowed": (
        "the version does not allow that trust mode",
        "gateless model show lists the modes",
    ),
    "InferenceMarket_ModeNotSupported": (
        "this market does not settle that trust mode",
        "ask for the mode ZK",
    ),
    "InferenceMarket_VkaNotRegistered": (
        "the version's key is not on chain",
        "anyone may register it from the bundle; publishing again does so",
    ),
    "InferenceMarket_NotEnoughGasForCallback": (
        "the transaction carries too little gas for the callback",
        "send it with more gas",
    ),
    "MarketAccounts_NotRoyaltyHolder": _HOLDER,
    "MarketAccounts_NothingToWithdraw": ("nothing has been earned yet", ""),
    "InferenceMarket_InputBindingMismatch": _DISAGREE,
    "InferenceMarket_InputDigestMismatch": (
        "the input is not the one that the digest names",
        "give exactly the packed input",
    ),
    "ReceiptCourt_ZeroAmount": _ZERO,
    "ReceiptCourt_NoReceiptKey": (
        "the executor's profile names no receipt key",
        "publish a profile first: gateless executor stake",
    ),
    "ReceiptCourt_PoolExists": (
        "there is a pool for that epoch already",
        "it can be given more slots; other terms are for other epochs",
    ),
    "ReceiptCourt_NoPool": ("there is no open pool for that epoch", "open one first"),
    "ReceiptCourt_PoolForfeited": (
        "two receipts for one slot of that pool were shown",
        "the pool is lost; nothing more can be done with it",
    ),
    "ReceiptCourt_PoolStillNeeded": (
        "receipts of that pool may still be challenged, or are",
        "wait until the last of them has expired and every claim has ended",
    ),
    "ReceiptCourt_NotCommitted": (
        "the claim is no unopened commitment",
        "see what became of it; a new challenge needs a commitment of its own",
    ),
    "ReceiptCourt_NotChallenger": (
        "another account committed to that claim",
        "use the wallet that announced the challenge",
    ),
    "ReceiptCourt_CommittedInThisBlock": (
        "the commitment is in this very block",
        "open it one block later",
    ),
    "ReceiptCourt_OtherCommitment": (
        "the claim was committed to something else",
        "give the receipt and salt that it was made of",
    ),
    "ReceiptCourt_InputMismatch": (
        "the input is not the one that the receipt names",
        "give exactly the packed input",
    ),
    "ReceiptCourt_AlreadyProven": (
        "the receipt's output was proven already",
        "it is right; nothing can be claimed",
    ),
    "ReceiptCourt_NoEquivocation": (
        "these are not two receipts for one slot",
        "give two different receipts of one executor, epoch and slot",
    ),
    "ReceiptCourt_NothingToSettle": (
        "none of these claims can be answered any more",
        "look at them again; they were settled, or their deadline is over",
    ),
    "ReceiptCourt_NotOpen": ("the claim is not open", "look at it again; it may have ended"),
    "ExecutorStaking_NoExit": ("no exit was requested", "start one: gateless executor unstake"),
    "ExecutorStaking_StakeStillLocked": (
        "open requests still hold that stake",
        "finish or refund them first",
    ),
    "ModelRegistry_NotHolder": _HOLDER,
    "ModelRegistry_InvalidName": (
        "that cannot name a model",
        "use 1 to 64 of a-z, 0-9, '-', '_', '.', beginning with a letter or digit",
    ),
    "ModelRegistry_UnknownModel": (
        "there is no such model",
        "gateless model list shows what there is",
    ),
    "ModelRegistry_UnknownVersion": (
        "there is no such version",
        "gateless model show lists a model's versions",
    ),
    "ModelRegistry_UnknownAlias": (
        "the model has no such alias",
        "gateless model show lists a model's aliases and versions",
    ),
    "ZkVerifier_ForeignSrs": (
        "the key was made with an SRS that this network does not accept",
        "build the bundle again with the network's SRS",
    ),
    "ZkVerifier_UnknownVka": (
        "the version's key is not on chain",
        "register it from the bundle first",
    ),
    "ZkVerifier_ProofRejected": _DISAGREE,
    "ZkVerifier_ProofLength": _DISAGREE,
    "ERC2612ExpiredSignature": (
        "the permit has expired",
        "sign a new one; check the clock of this machine",
    ),
    "ERC2612InvalidSigner": (
        "the permit is not signed by the token's owner, or was used already",
        "sign a new one",
    ),
}
