"""What is known of a model after its run, saved as it comes."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Side:
    """One side's figures; those that were not reached are ``None``.

    Attributes:
        failure: why it failed, with the step; empty where it did not.
        plan_seconds: from the model to a compiled circuit (ours: until the whole bundle stands).
        proves: seconds of each repeated proof.
        cpus: processor seconds of each proving process, its start, witness and verification too.
        peak_bytes: of the proving process.
        error: largest absolute error over the range of the outputs, on held-out data.
        agreement: share of held-out samples with the same label; for classifiers.
        judged: held-out samples that had a witness, of those tried.
        gas: of a transaction that verifies one proof.
        verifier_bytes: runtime code of the verifier contract made for this model alone.
    """

    failure: str = ""
    plan_seconds: float | None = None
    plan_peak_bytes: int | None = None
    setup_seconds: float | None = None
    setup_peak_bytes: int | None = None
    witnesses: list[float] = field(default_factory=list)
    proves: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    verify_seconds: float | None = None
    peak_bytes: int | None = None
    proving_key_bytes: int | None = None
    verifying_key_bytes: int | None = None
    proof_bytes: int | None = None
    logrows: int | None = None
    columns: int | None = None
    rows: int | None = None
    cells: int | None = None
    instances: int | None = None
    parameters: str = ""
    passes: list[str] = field(default_factory=list)
    binding: str = ""
    exact: bool | None = None
    error: float | None = None
    agreement: float | None = None
    judged: tuple[int, int] | None = None
    gas: int | None = None
    verifier_bytes: int | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def prove_seconds(self) -> float | None:
        """Median of the repeats; ``None`` for a side that failed."""
        return statistics.median(self.proves) if self.proves and not self.failure else None

    @property
    def witness_seconds(self) -> float | None:
        """Median of the repeats."""
        return statistics.median(self.witnesses) if self.witnesses else None

    @property
    def cpu_seconds(self) -> float | None:
        """Median of the repeats."""
        return statistics.median(self.cpus) if self.cpus else None

    @property
    def noise(self) -> float:
        """Half the spread of the repeats over their median; 0 for a single run."""
        if len(self.proves) < 2:
            return 0.0
        return (max(self.proves) - min(self.proves)) / 2 / statistics.median(self.proves)


@dataclass(slots=True)
class Record:
    """Both sides of one model.

    Attributes:
        digest: sha256 of the ONNX file.
        reference: which engine computed the float outputs.
        complete: whether nothing is left to do.
    """

    name: str
    digest: str
    versions: dict[str, str]
    real_data: bool = False
    reference: str = ""
    default: Side = field(default_factory=Side)
    ours: Side = field(default_factory=Side)
    on_chain: str = ""
    complete: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times faster our proof is; ``None`` unless both sides prove."""
        theirs, ours = self.default.prove_seconds, self.ours.prove_seconds
        return theirs / ours if theirs is not None and ours else None

    @property
    def slower(self) -> bool:
        """Whether ours is slower than the default by more than the noise of both."""
        ratio = self.ratio
        return ratio is not None and ratio * (1 + self.default.noise + self.ours.noise) < 1

    def save(self, folder: Path) -> None:
        """Writes the record at once and whole."""
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{self.name}.part"
        temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        temporary.rename(folder / f"{self.name}.json")


def load_record(path: Path) -> Record:
    """Reads what :meth:`Record.save` wrote."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    default, ours = _side(data.pop("default")), _side(data.pop("ours"))
    return Record(default=default, ours=ours, **data)


def _side(data: dict[str, Any]) -> Side:
    judged = data.pop("judged")
    return Side(judged=None if judged is None else (judged[0], judged[1]), **data)
