"""How values of the SDK look: as JSON-ready mappings and as text for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from gateless.cli.layout import Facts
from gateless.cli.output import facts, short, table
from gateless.core.amounts import Token, format_amount
from gateless.core.execution import Execution
from gateless.core.ids import spell_request
from gateless.core.manifest import Manifest, Tensor
from gateless.core.types import InputBinding, RequestInfo, RequestState, VersionInfo, modes_of

if TYPE_CHECKING:
    from gateless.adapters.chain.purses import Purse
    from gateless.sdk.results import InferenceResult, SentTransaction

Rows = list[tuple[str, str]]

_SHOWN_VALUES = 16
_WEI = 10**18


def amount(units: int, token: Token) -> dict[str, Any]:
    """An amount for machines and people: exact units, and text with the symbol."""
    return {"units": units, "text": format_amount(units, token)}


def held_data(purses: Sequence[Purse], token: Token) -> dict[str, Any]:
    """What contracts hold for an account, by their names, for machines."""
    return {purse.contract: amount(purse.amount, token) for purse in purses}


def spell_held(purses: Sequence[Purse], token: Token) -> str:
    """The same for people; says so where there is nothing."""
    total = format_amount(sum(purse.amount for purse in purses), token)
    if not purses:
        return total
    shares = (f"{format_amount(purse.amount, token)} at {purse.contract}" for purse in purses)
    return f"{total} ({', '.join(shares)})"


def ether(wei: int) -> str:
    """Wei as ETH with six decimals, for fees and balances of the chain's own currency."""
    return f"{wei / _WEI:.6f} ETH"


def moment(seconds: int) -> str:
    """A Unix time in UTC; a dash for none."""
    if seconds == 0:
        return "-"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def percent(basis_points: int) -> str:
    """``5 %`` for 500."""
    return f"{basis_points / 100:g} %"


def modes(mask: int) -> str:
    """Names of trust modes."""
    return ", ".join(mode.name for mode in modes_of(mask)) or "-"


def transactions(sent: Sequence[SentTransaction]) -> list[dict[str, Any]]:
    """Transactions for machines."""
    return [
        {"label": tx.label, "tx": tx.tx_hash, "gas": tx.gas_used, "fee_wei": tx.fee_wei}
        for tx in sent
    ]


def with_transactions(sent: Sequence[SentTransaction]) -> list[RenderableType]:
    """Transactions for people, under an empty line; nothing where there are none."""
    if not sent:
        return []
    rows = [(tx.label, f"{tx.gas_used:,}", short(tx.tx_hash, keep=10)) for tx in sent]
    return ["", table("transaction", "gas", "hash", rows=rows, right=["gas"])]


def version_data(version: VersionInfo) -> dict[str, Any]:
    """A version for machines."""
    return {
        "version_id": version.version_id,
        "model_id": version.model_id,
        "index": version.index,
        "model_digest": version.model_digest,
        "manifest_digest": version.manifest_digest,
        "circuits": [
            {
                "vka_digest": "0x" + circuit.vka_digest.hex(),
                "role": circuit.role,
                "batch_size": circuit.batch_size,
                "proof_length": circuit.proof_length,
            }
            for circuit in version.circuits
        ],
        "binding": InputBinding(version.binding).name,
        "modes": [mode.name for mode in modes_of(version.modes)],
        "royalty_bps": version.royalty_bps,
        "proof_seconds": version.proof_seconds,
        "repeatable": version.repeatable,
        "published_at": version.published_at,
        "deprecated": version.deprecated,
        "uri": version.uri,
    }


def version_rows(label: str, version: VersionInfo) -> Rows:
    """A version for people, nothing shortened; the names are short so that digests fit a line."""
    rows = [
        ("version", label),
        ("version id", str(version.version_id)),
        ("published", moment(version.published_at)),
        ("deprecated", "yes: its publisher advises against it" if version.deprecated else "no"),
        ("trust modes", modes(version.modes)),
        ("royalty", percent(version.royalty_bps)),
        ("binding", InputBinding(version.binding).name),
        ("model file", version.model_digest),
        ("manifest", version.manifest_digest),
    ]
    for index, circuit in enumerate(version.circuits):
        rows += [
            (
                f"circuit {index}",
                f"batch {circuit.batch_size}, proof {circuit.proof_length:,} bytes",
            ),
            (f"key {index}", f"0x{circuit.vka_digest.hex()}"),
        ]
    rows.append(("files at", version.uri or "(executors that serve it)"))
    return rows


def manifest_rows(manifest: Manifest) -> Rows:
    """What a manifest adds to the chain's facts."""
    rows = [("description", manifest.description)] if manifest.description else []
    for kind, tensors in (("input", manifest.inputs), ("output", manifest.outputs)):
        rows += [
            (
                kind,
                f"{tensor.name} {list(tensor.shape)} {tensor.onnx_dtype}"
                f" as {_spelling(tensor, manifest)}",
            )
            for tensor in tensors
        ]
    if manifest.circuits:
        rows += _circuit_rows(manifest)
    execution = manifest.execution
    rows += [
        ("repeatable", _repeatable(execution)),
        ("runtime", execution.runtime),
        ("runtime class", "0x" + execution.runtime_class.hex()),
    ]
    if manifest.labels:
        rows.append(("labels", ", ".join(manifest.labels)))
    return rows


def _spelling(tensor: Tensor, manifest: Manifest) -> str:
    if manifest.circuits:
        return f"int{8 * tensor.width} at scale 2^{tensor.scale_bits}"
    return f"{tensor.width} little-endian bytes"


def _repeatable(execution: Execution) -> str:
    if execution.repeatable:
        return f"yes: {execution.samples} inputs gave the same bytes every time they were run"
    return f"no: outputs changed {', '.join(execution.differing())}"


def _circuit_rows(manifest: Manifest) -> Rows:
    accuracy = manifest.accuracy
    exact = all(circuit.exact for circuit in manifest.circuits)
    return [
        (
            "accuracy",
            f"max error {accuracy.max_abs_error:.3g}, bound {accuracy.bound:.3g},"
            f" {accuracy.samples} samples"
            + (
                ""
                if accuracy.label_agreement is None
                else f", same label {accuracy.label_agreement:.1%}"
            ),
        ),
        ("arithmetic", "exact: one output per input" if exact else "rescaled: ±1 unit per rescale"),
        ("proof time", f"{manifest.proof_seconds} s"),
    ]


def request_data(info: RequestInfo, token: Token) -> dict[str, Any]:
    """A request for machines."""
    paid = info.state is RequestState.PAID
    return {
        "request_id": info.request_id,
        "state": info.state.name,
        "refundable": info.refundable,
        "requester": info.requester,
        "version_id": info.version_id,
        "mode": info.mode.name,
        "price": amount(info.price, token),
        "collateral": amount(info.collateral, token),
        # What a paid request has no use for is not kept on chain.
        "royalty_bps": None if paid else info.royalty_bps,
        "deadline": info.deadline or None,
        "lock_deadline": info.lock_deadline or None,
        "executor": info.executor,
        "named_executor": info.named_executor,
        "callback": info.callback,
        "input_digest": "0x" + info.input_digest.hex(),
        "input_binding": "0x" + info.input_binding.hex(),
        "output_digest": "0x" + info.output_digest.hex(),
    }


def request_state(info: RequestInfo) -> str:
    """The state for people; expiry is computed, not stored."""
    if info.refundable:
        return "expired"
    return info.state.name.lower()


def request_facts(info: RequestInfo, label: str, token: Token) -> Facts:
    """A request for people, nothing shortened."""
    rows = [
        ("request", spell_request(info.request_id)),
        ("state", request_state(info)),
        ("version", f"{label} ({info.version_id})"),
        ("requester", info.requester),
        ("price", format_amount(info.price, token)),
        ("collateral", format_amount(info.collateral, token)),
        ("trust mode", info.mode.name),
    ]
    if info.deadline:
        rows.append(("deadline", moment(info.deadline)))
    if info.named_executor:
        rows.append(("only for", info.named_executor))
    if info.executor:
        rows.append(("executor", info.executor))
    if info.state is RequestState.LOCKED:
        rows.append(("locked until", moment(info.lock_deadline)))
    if info.callback:
        rows.append(("callback", f"{info.callback} ({info.callback_gas:,} gas)"))
    if info.state is RequestState.PAID:
        rows.append(("output hash", "0x" + info.output_digest.hex()))
    return facts(rows)


def inference_data(result: InferenceResult, token: Token) -> dict[str, Any]:
    """An inference for machines."""
    callback = result.callback
    return {
        "request_id": result.request_id,
        "version_id": result.version_id,
        "version": result.version_label,
        "label": result.label,
        "outputs": {name: values.tolist() for name, values in result.outputs.items()},
        "integers": {name: list(values) for name, values in result.integers.items()},
        "packed_output": "0x" + result.packed_output.hex(),
        "output_digest": "0x" + result.output_digest,
        "mode": result.mode.name,
        "requester": result.requester,
        "executor": result.executor,
        "price": amount(result.price, token),
        "fee": amount(result.fee, token),
        "royalty": amount(result.royalty, token),
        "gas": result.gas_used,
        "request_tx": result.request_tx,
        "fulfil_tx": result.fulfil_tx,
        "block": result.block_number,
        "callback": None
        if callback is None
        else {
            "address": callback.address,
            "success": callback.success,
            "returned": "0x" + callback.returned.hex(),
        },
        "warnings": list(result.warnings),
    }


def inference_facts(result: InferenceResult, token: Token) -> Facts:
    """An inference for people: the answer first, then who proved it and what it cost."""
    rows: list[tuple[str, str]] = []
    if result.label is not None:
        rows.append(("prediction", result.label))
    for name, values in result.outputs.items():
        flat = values.reshape(-1).tolist()
        shown = " ".join(f"{value:.4g}" for value in flat[:_SHOWN_VALUES])
        more = "" if len(flat) <= _SHOWN_VALUES else f" … ({len(flat)} values, all with --json)"
        rows.append(("output", f"{name}: {shown}{more}"))
    rows += [
        ("version", result.version_label),
        ("request", spell_request(result.request_id)),
        ("executor", result.executor),
        (
            "paid",
            f"{format_amount(result.price, token)}: executor {format_amount(result.fee, token)},"
            f" royalty {format_amount(result.royalty, token)}",
        ),
        ("verified in", result.fulfil_tx),
        ("block", f"{result.block_number:,}, {result.gas_used:,} gas"),
    ]
    if result.callback is not None:
        outcome = "ran" if result.callback.success else "reverted (the result stands)"
        rows.append(("callback", f"{result.callback.address} {outcome}"))
    return facts(rows)
