"""The model card of a bundle: what the numbers of the manifest mean, in words."""

from __future__ import annotations

from gateless.core.execution import Execution
from gateless.core.manifest import Binding, CircuitEntry, Manifest, Plan, Tensor

_LISTED = 12
_NO_CIRCUIT = [
    *("", "## No circuit", ""),
    "Answers cannot be proven. Executors run the model as it is, and requesters compare what"
    " several of them found, or trust who signed it.",
]


def model_card(manifest: Manifest) -> str:
    """Markdown for ``README.md``; nothing in it is measured, so that two builds give the same."""
    lines = [f"# {manifest.name}", ""]
    if manifest.description:
        lines += [manifest.description, ""]
    if manifest.task:
        lines += [f"Task: {manifest.task}", ""]
    if manifest.license:
        lines += [f"License: {manifest.license}", ""]
    lines += ["| tensor | shape | type | packed as | calibrated range |", "|---|---|---|---|---|"]
    packed = bool(manifest.circuits)
    for tensor in manifest.inputs:
        low, high = tensor.calibrated_range or (0.0, 0.0)
        lines.append(
            f"| input `{tensor.name}` | {list(tensor.shape)} | {tensor.onnx_dtype.lower()} |"
            f" {_spelling(tensor, packed)} | {low:g} to {high:g} |"
        )
    for tensor in manifest.outputs:
        lines.append(
            f"| output `{tensor.name}` | {list(tensor.shape)} | {tensor.onnx_dtype.lower()} |"
            f" {_spelling(tensor, packed)} | |"
        )
    lines += _circuits(manifest) if manifest.circuits else _NO_CIRCUIT
    lines += _repetition(manifest.execution)
    if manifest.labels:
        lines += ["", "## Labels", "", ", ".join(manifest.labels)]
    return "\n".join(lines) + "\n"


def _spelling(tensor: Tensor, packed: bool) -> str:
    if packed:
        return f"int{8 * tensor.width}, value x 2^{tensor.scale_bits}"
    return f"{tensor.width} bytes, little-endian"


def _circuits(manifest: Manifest) -> list[str]:
    bound = "as packed integers" if manifest.binding is Binding.PACKED else "by a KZG commitment"
    lines = [
        *("", "## Circuits", ""),
        f"Weights are fixed in the verifying keys; inputs are bound {bound}. An input that drives a"
        " value out of a circuit's range has no proof and is refused before anything is signed.",
        "",
    ]
    lines += [line for entry in manifest.circuits for line in _circuit(entry)]
    return lines + _accuracy(manifest) + _plan(manifest.plan)


def _repetition(execution: Execution) -> list[str]:
    found = "repeat" if execution.repeatable else "do not repeat"
    lines = [
        *("", "## Repeatability", ""),
        f"Outputs {found} to the byte: {execution.samples} inputs were run again and again under"
        f" `{execution.runtime}`.",
        "",
    ]
    return lines + [
        f"- {check.what}: {'the same' if check.same else 'others'}"
        f"{'' if check.required else ' (other options, for information)'}"
        for check in execution.checks
    ]


def _circuit(entry: CircuitEntry) -> list[str]:
    what = "one inference" if entry.batch_size == 1 else f"{entry.batch_size} inferences"
    words = (
        f"{entry.digits_per_word} values of {entry.digit_bits} bits per public word"
        if entry.dense
        else "a public word per value"
    )
    if entry.exact:
        freedom = "exact: one output only can be proven for an input"
    else:
        units = ", ".join(str(units) for units in entry.slack)
        freedom = (
            f"rescales: a prover may move outputs by some units ({entry.slack_kind}: {units} of the"
            " last place)"
        )
    passes = f"; rewritten by {', '.join(entry.passes)}" if entry.passes else ""
    return [f"- {what}: 2^{entry.logrows} rows, {words}{passes}. It {_is(entry)}{freedom}."]


def _is(entry: CircuitEntry) -> str:
    return "is " if entry.exact else ""


def _accuracy(manifest: Manifest) -> list[str]:
    accuracy = manifest.accuracy
    lines = [
        "",
        "## Accuracy",
        "",
        f"Against onnxruntime on {accuracy.samples} calibration samples: largest absolute error"
        f" {accuracy.max_abs_error:.3g}, mean {accuracy.mean_abs_error:.3g}.",
        f"Stated bound: {accuracy.bound:.3g}.",
    ]
    if accuracy.label_agreement is not None:
        lines.append(f"Same label in {100 * accuracy.label_agreement:.2f} % of samples.")
    return lines


def _plan(plan: Plan) -> list[str]:
    lines = [
        "",
        "## Why this circuit",
        "",
        f"Planned for the goal `{plan.goal.value}`: {plan.considered} questions asked."
        f" {plan.why[:1].upper()}{plan.why[1:]}.",
        "",
        "| inferences | scales | x | passes | base^legs | columns | k | predicted s | gas | error |"
        " verdict |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    places = [*plan.winners, *(p for p in range(len(plan.candidates)) if p not in plan.winners)]
    for place in places[:_LISTED]:
        row = plan.candidates[place]
        error = "" if row.max_abs_error is None else f"{row.max_abs_error:.2g}"
        lines.append(
            f"| {row.batch_size} | {row.input_scale}, {row.param_scale} | {row.multiplier} |"
            f" {', '.join(row.passes) or 'none'} | {row.base}^{row.legs} | {row.columns} |"
            f" {row.logrows or ''} | {row.seconds:.3g} | {row.gas or ''} | {error} |"
            f" {row.verdict} |"
        )
    return lines
