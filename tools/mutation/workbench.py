"""Two trees: one whose tests are compiled once, one whose sources are mutated.

slither-mutate compiles the whole project for every mutant, most of an hour for a hundred of them.
Here the tests deploy what they test from its artifact (Foundry's `dynamic_test_linking`), so that a
mutant costs the compilation of one contract and a run of the tests: two seconds.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORGE = ROOT / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
SOLC = ROOT / "tools" / "solc"
IMPORT = re.compile(r'(?:from|import)\s+"([^"]+)"')
PROFILE = """
[profile.mutation]
optimizer = false
dynamic_test_linking = true
code_size_limit = 1000000
gas_snapshot_check = false
"""
#: These count gas, which unoptimised code takes more of.
COUNTING_GAS = "contracts/test/**/{*Gas*,ProofTooLarge,*StarvedCallback}.t.sol"
#: Few runs: every mutant is tested, and what a mutant breaks shows early or in a unit test.
ENVIRONMENT = {
    "FOUNDRY_PROFILE": "mutation",
    "FOUNDRY_FUZZ_RUNS": "16",
    "FOUNDRY_INVARIANT_RUNS": "2",
}


class Broken(Exception):
    """The tests do not pass without a mutant, so they can show nothing."""


@dataclass(frozen=True)
class Workbench:
    """Where mutants are tried.

    Attributes:
        sources: tree with `src/`, the one that is mutated.
        tests: tree with the tests, compiled once.
        contract: the deployed contract under test.
        timeout: seconds a run of the tests may take; a mutant that takes longer is caught.
    """

    sources: Path
    tests: Path
    contract: str
    timeout: float

    @property
    def path(self) -> str:
        """The contract's file in the source tree."""
        found = sorted((self.sources / "src").rglob(f"{self.contract}.sol"))
        return str(found[0].relative_to(self.sources))

    def compile(self) -> dict[str, str] | None:
        """Its creation and runtime code as the sources are now; none if these are wrong."""
        sources: dict[str, dict[str, str]] = {}
        self._gather(self.path, sources)
        wanted = ["evm.bytecode.object", "evm.deployedBytecode.object"]
        task = {
            "language": "Solidity",
            "sources": sources,
            "settings": {
                "optimizer": {"enabled": False},
                "evmVersion": "cancun",
                "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
                "outputSelection": {self.path: {self.contract: wanted}},
            },
        }
        done = subprocess.run(
            [str(SOLC), "--standard-json"], input=json.dumps(task), capture_output=True, text=True
        )
        contracts = json.loads(done.stdout).get("contracts", {}) if done.stdout else {}
        if self.path not in contracts:
            return None
        evm = contracts[self.path][self.contract]["evm"]
        return {key: "0x" + evm[key]["object"] for key in ("bytecode", "deployedBytecode")}

    def passes(self, code: dict[str, str]) -> bool:
        """Whether all tests pass with this code in place of the contract's."""
        artifact = (
            self.tests / "contracts" / "out" / f"{self.contract}.sol" / f"{self.contract}.json"
        )
        content = json.loads(artifact.read_text())
        for key, value in code.items():
            content[key]["object"] = value
        artifact.write_text(json.dumps(content))
        try:
            return self._forge("test", "--fail-fast").returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def prepare(self) -> None:
        """Compiles the tests and shows that they pass without a mutant."""
        built = self._forge("test")
        if built.returncode != 0:
            raise Broken(built.stdout[-3000:] + built.stderr[-3000:])
        code = self.compile()
        if code is None or not self.passes(code):
            raise Broken("the tests fail with the contract as it is, compiled by itself")

    def _forge(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(FORGE), *arguments, "--no-match-path", COUNTING_GAS],
            cwd=self.tests,
            env={**os.environ, **ENVIRONMENT},
            capture_output=True,
            text=True,
            timeout=self.timeout if "--fail-fast" in arguments else None,
        )

    def _gather(self, path: str, into: dict[str, dict[str, str]]) -> None:
        """Every file that the contract needs, by the name that imports resolve to."""
        if path in into:
            return
        real = path.replace("@openzeppelin/", "node_modules/@openzeppelin/", 1)
        text = (self.sources / real).read_text()
        into[path] = {"content": text}
        for name in IMPORT.findall(text):
            relative = os.path.normpath(os.path.join(os.path.dirname(path), name))
            self._gather(relative if name.startswith(".") else name, into)


def lay_out(folder: Path, contract: str, tests: list[str], timeout: float) -> Workbench:
    """Makes both trees.

    Args:
        folder: where; what is there is removed.
        contract: the deployed contract under test.
        tests: patterns of the tests' paths under `contracts/test`; what these import comes along.
        timeout: seconds a run of the tests may take.
    """
    shutil.rmtree(folder, ignore_errors=True)
    sources, testbed = folder / "sources", folder / "tests"
    subject = sorted((ROOT / "contracts/src").rglob(f"{contract}.sol"))[:1]
    for path in _with_imports(subject):
        _copy(path, sources / path.relative_to(ROOT / "contracts"))
    for part in ("test/fixtures", "snapshots", "generated"):
        shutil.copytree(ROOT / "contracts" / part, testbed / "contracts" / part)
    for path in _with_imports(
        sorted({p for t in tests for p in (ROOT / "contracts/test").glob(t)})
    ):
        _copy(path, testbed / path.relative_to(ROOT))
    solc = _quick_solc(folder)
    settings = (ROOT / "foundry.toml").read_text().replace('"./tools/solc"', f'"{solc}"')
    (testbed / "foundry.toml").write_text(settings + PROFILE)
    plain = settings.replace("contracts/src", "src").replace("contracts/", "")
    (sources / "foundry.toml").write_text(plain)
    for tree in (sources, testbed):
        (tree / "node_modules").symlink_to(ROOT / "node_modules")
    return Workbench(sources=sources, tests=testbed, contract=contract, timeout=timeout)


def _quick_solc(folder: Path) -> Path:
    """The compiler, but that it knows its version without being loaded: forge asks at each start,
    and loading takes longer than most mutants' tests.
    """
    version = subprocess.run(
        [str(SOLC), "--version"], capture_output=True, text=True, check=True
    ).stdout
    script = folder / "solc"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = --version ]; then printf %s {shlex.quote(version)}; exit; fi\n'
        f'exec {shlex.quote(str(SOLC))} "$@"\n'
    )
    script.chmod(0o755)
    return script


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)


def _with_imports(paths: list[Path]) -> set[Path]:
    """The files, and all of this project's that they need."""
    found: set[Path] = set()
    waiting = list(paths)
    while waiting:
        path = waiting.pop().resolve()
        if path in found:
            continue
        found.add(path)
        names = [name for name in IMPORT.findall(path.read_text()) if name.startswith(".")]
        waiting.extend((path.parent / name).resolve() for name in names)
    return found
