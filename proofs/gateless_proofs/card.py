"""The model card of a bundle: what the numbers of the manifest mean, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateless.core.manifest import Binding

if TYPE_CHECKING:
    from gateless_proofs.build import BuildOptions


def model_card(
    options: BuildOptions, facts: dict[str, Any], found: dict[str, Any], binding: Binding
) -> str:
    """Markdown for ``README.md``; the same inputs give the same bytes."""
    parameters = found["parameters"]
    accuracy = found["accuracy"]
    agreement = accuracy["label_agreement"]
    lines = [f"# {options.name}", ""]
    if options.description:
        lines += [options.description, ""]
    if options.task:
        lines += [f"Task: {options.task}", ""]
    lines += ["| tensor | shape | type | packed as | calibrated range |", "|---|---|---|---|---|"]
    for entry, fitted in zip(facts["inputs"], found["inputs"], strict=True):
        lines.append(
            f"| input `{entry['name']}` | {entry['shape']} | {entry['dtype'].lower()} |"
            f" int{8 * fitted['width']}, value x 2^{fitted['scale']} |"
            f" {fitted['low']:g} to {fitted['high']:g} |"
        )
    for entry in found["outputs"]:
        lines.append(
            f"| output `{entry['name']}` | {entry['shape']} | {entry['dtype'].lower()} |"
            f" int{8 * entry['width']}, value x 2^{entry['scale']} | |"
        )
    exact = "is exact: one output only can be proven for an input"
    slack = "rescales: a prover may choose neighbouring outputs within rounding"
    lines += [
        "",
        "## Circuit",
        "",
        f"2^{parameters['logrows']} rows, one column. The circuit"
        f" {exact if found['exact'] else slack}.",
        f"Weights are fixed in the verifying key at scale 2^{parameters['param_scale']}; inputs are"
        f" bound {'as packed integers' if binding is Binding.PACKED else 'by a KZG commitment'}.",
        f"Range decomposition: base {parameters['base']}, {parameters['legs']} digits. An input"
        " that drives a value beyond it has no proof and is refused before anything is signed.",
        "",
        "## Accuracy",
        "",
        f"Against onnxruntime on {accuracy['samples']} calibration samples: largest absolute error"
        f" {accuracy['max_abs_error']:.3g}, mean {accuracy['mean_abs_error']:.3g}.",
        f"Stated bound: {found['bound']:.3g}.",
    ]
    if agreement is not None:
        lines.append(f"Same label in {100 * agreement:.2f} % of samples.")
    if options.labels:
        lines += ["", "## Labels", "", ", ".join(options.labels)]
    return "\n".join(lines) + "\n"
