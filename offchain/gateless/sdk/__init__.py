"""The SDK: publish models, ask for verified inferences, run an executor's stake, audit.

Names are loaded on first use, so that a program that needs little of it starts fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateless.core.amounts import format_amount as format_amount
    from gateless.core.amounts import parse_amount as parse_amount
    from gateless.core.amounts import plain_amount as plain_amount
    from gateless.core.receipts import SignedReceipt as SignedReceipt
    from gateless.core.receipts import parse_receipt as parse_receipt
    from gateless.sdk.calling import DirectAnswer as DirectAnswer
    from gateless.sdk.calling import HandedOver as HandedOver
    from gateless.sdk.client import AsyncGateless as AsyncGateless
    from gateless.sdk.lazy_asking import LazyTerms as LazyTerms
    from gateless.sdk.lazy_results import LazyAnswer as LazyAnswer
    from gateless.sdk.lazy_results import LazyAsked as LazyAsked
    from gateless.sdk.lazy_results import LazyEnd as LazyEnd
    from gateless.sdk.pools import BackedEpochs as BackedEpochs
    from gateless.sdk.pools import PoolTerms as PoolTerms
    from gateless.sdk.progress import ProgressSink as ProgressSink
    from gateless.sdk.progress import Step as Step
    from gateless.sdk.receipt_checks import Challenge as Challenge
    from gateless.sdk.receipt_checks import CheckedReceipt as CheckedReceipt
    from gateless.sdk.receipt_checks import ClaimEnd as ClaimEnd
    from gateless.sdk.references import Reference as Reference
    from gateless.sdk.references import parse_reference as parse_reference
    from gateless.sdk.results import Balances as Balances
    from gateless.sdk.results import CallbackOutcome as CallbackOutcome
    from gateless.sdk.results import ExecutorState as ExecutorState
    from gateless.sdk.results import InferenceResult as InferenceResult
    from gateless.sdk.results import ModelDetails as ModelDetails
    from gateless.sdk.results import PublishResult as PublishResult
    from gateless.sdk.results import Refund as Refund
    from gateless.sdk.results import RequestSummary as RequestSummary
    from gateless.sdk.results import ResolvedVersion as ResolvedVersion
    from gateless.sdk.results import SentTransaction as SentTransaction
    from gateless.sdk.results import SignedOffer as SignedOffer
    from gateless.sdk.results import StakeResult as StakeResult
    from gateless.sdk.results import SubmittedRequest as SubmittedRequest
    from gateless.sdk.results import Transfer as Transfer
    from gateless.sdk.results import UnstakeResult as UnstakeResult
    from gateless.sdk.sync import Gateless as Gateless
    from gateless.sdk.terms import Offer as Offer
    from gateless.sdk.terms import RequestTerms as RequestTerms

_HOMES = {
    "format_amount": "gateless.core.amounts",
    "parse_amount": "gateless.core.amounts",
    "plain_amount": "gateless.core.amounts",
    "AsyncGateless": "gateless.sdk.client",
    "DirectAnswer": "gateless.sdk.calling",
    "HandedOver": "gateless.sdk.calling",
    "CheckedReceipt": "gateless.sdk.receipt_checks",
    "Challenge": "gateless.sdk.receipt_checks",
    "ClaimEnd": "gateless.sdk.receipt_checks",
    "SignedReceipt": "gateless.core.receipts",
    "parse_receipt": "gateless.core.receipts",
    "LazyTerms": "gateless.sdk.lazy_asking",
    "LazyAnswer": "gateless.sdk.lazy_results",
    "LazyAsked": "gateless.sdk.lazy_results",
    "LazyEnd": "gateless.sdk.lazy_results",
    "BackedEpochs": "gateless.sdk.pools",
    "PoolTerms": "gateless.sdk.pools",
    "ProgressSink": "gateless.sdk.progress",
    "Step": "gateless.sdk.progress",
    "Reference": "gateless.sdk.references",
    "parse_reference": "gateless.sdk.references",
    "Balances": "gateless.sdk.results",
    "CallbackOutcome": "gateless.sdk.results",
    "ExecutorState": "gateless.sdk.results",
    "InferenceResult": "gateless.sdk.results",
    "ModelDetails": "gateless.sdk.results",
    "PublishResult": "gateless.sdk.results",
    "Refund": "gateless.sdk.results",
    "RequestSummary": "gateless.sdk.results",
    "ResolvedVersion": "gateless.sdk.results",
    "SentTransaction": "gateless.sdk.results",
    "SignedOffer": "gateless.sdk.results",
    "StakeResult": "gateless.sdk.results",
    "SubmittedRequest": "gateless.sdk.results",
    "Transfer": "gateless.sdk.results",
    "UnstakeResult": "gateless.sdk.results",
    "Gateless": "gateless.sdk.sync",
    "Offer": "gateless.sdk.terms",
    "RequestTerms": "gateless.sdk.terms",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
