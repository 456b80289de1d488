"""How models are run, and the name of a machine that runs them so: its *runtime class*.

Outputs of onnxruntime are equal to the byte between runs of one class, as far as the model allows
(:mod:`gateless_proofs.repeating` measures that), and not in general between classes: kernels are
chosen by the instructions that the processor has.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnxruntime

PROVIDERS = ("CPUExecutionProvider",)
#: instruction sets by which onnxruntime chooses its kernels, as Linux spells them
_KERNEL_FEATURES = frozenset(
    (
        *("sse4_1", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx_vnni_int8", "avx_ne_convert"),
        *("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16"),
        *("avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"),
        *("asimd", "asimdhp", "asimddp", "fphp", "i8mm", "bf16", "sve", "sve2", "svei8mm"),
    )
)
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """Options of an onnxruntime session.

    Attributes:
        threads: within one operator; operators run one after the other.
        memory_pattern: whether allocations are planned ahead.
        memory_arena: whether memory comes from one arena.
    """

    threads: int = 1
    memory_pattern: bool = True
    memory_arena: bool = True

    def session_options(self) -> onnxruntime.SessionOptions:
        """The same for onnxruntime."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.use_deterministic_compute = True
        options.enable_mem_pattern = self.memory_pattern
        options.enable_cpu_mem_arena = self.memory_arena
        options.log_severity_level = 3
        return options

    def text(self) -> str:
        """The canonical spelling, part of the runtime class."""
        return (
            f"{' '.join(PROVIDERS)} threads={self.threads} sequential optimization=basic"
            f" deterministic memory-pattern={self.memory_pattern:d}"
            f" memory-arena={self.memory_arena:d}"
        )


#: what every inference of the network runs under
RECORDED = RuntimeOptions()


def runtime_text(*, circuit: bool) -> str:
    """The runtime class of this machine, in words; its keccak256 is what executors enrol for.

    Args:
        circuit: whether the version has a circuit. Its outputs are the circuit's, so that ezkl,
            which computes them, belongs to the class.
    """
    parts = [
        f"{platform.machine()} {' '.join(instruction_sets())}".strip(),
        f"onnxruntime {version('onnxruntime')}",
        RECORDED.text(),
    ]
    if circuit:
        parts.append(f"ezkl {version('ezkl')}")
    return "; ".join(parts)


def instruction_sets(cpuinfo: Path = _CPUINFO) -> list[str]:
    """What the processor has of the instructions that matter, sorted; empty where Linux does not
    say. Of processors with different cores, what all of them have."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    cores = [
        set(line.partition(":")[2].split())
        for line in lines
        if line.partition(":")[0].strip() in ("flags", "Features")
    ]
    return sorted(set.intersection(*cores) & _KERNEL_FEATURES) if cores else []


def options_of(request: dict[str, Any]) -> RuntimeOptions:
    """The options that a job of the subprocess names; the recorded ones where it names none."""
    return RuntimeOptions(**request.get("options", {}))
