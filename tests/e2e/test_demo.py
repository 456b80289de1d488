"""`make demo`'s programme plays to its end, twice on the same folders."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.xdist_group("demo")
def test_the_demo_plays_twice(tmp_path: Path) -> None:
    """The second chain reuses numbers and addresses of the first; nothing may be mixed up."""
    for image in (3, 4):
        result = subprocess.run(
            [
                *(sys.executable, "-m", "examples.digits.demo"),
                *("--root", str(tmp_path), "--image", str(image)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        shown = result.stdout
        assert result.returncode == 0, shown + result.stderr
        assert f"image {image} of the held-out set" in shown
        assert re.search(r"it reads a \d \((right|wrong)", shown)
        assert re.search(r"proof\s+[\d,]+ bytes in [\d.]+ s", shown)
        assert re.search(r"gas\s+[67]\d\d,\d\d\d for verification", shown)
        assert "executor   0.225 tUSD, holds 0.225 tUSD" in shown
        assert "builder    0.025 tUSD royalty, the model holds 0.025 tUSD" in shown
        assert "it has read 1 x" in shown
        assert "reverted with ZkVerifier_ProofRejected" in shown
        assert "reverted with InferenceMarket_InputBindingMismatch" in shown
        assert "0.00 tUSD lost" in " ".join(shown.split())
        assert "gateless devnet up" in shown
