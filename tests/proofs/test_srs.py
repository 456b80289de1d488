"""The development SRS is what it says it is, on any machine, for any size."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from gateless.core.errors import ProofError
from gateless.core.packing import FIELD_MODULUS
from gateless_proofs import srs
from proof_fixtures import eventually
from py_ecc import bn128

K = 4
POINT = 64


def read_point(data: bytes, index: int) -> tuple[bn128.FQ, bn128.FQ]:
    unscale = pow(1 << 256, -1, srs.BASE_MODULUS)
    at = 4 + POINT * index
    x, y = (
        int.from_bytes(data[start : start + 32], "little") * unscale % srs.BASE_MODULUS
        for start in (at, at + 32)
    )
    return bn128.FQ(x), bn128.FQ(y)


def test_file_holds_both_bases_of_the_stated_secret(tmp_path: Path) -> None:
    data = srs.development_srs(K, tmp_path).read_bytes()
    assert len(data) == srs.srs_bytes(K)
    assert int.from_bytes(data[:4], "little") == K
    rows = 1 << K
    powers = [read_point(data, index) for index in range(rows)]
    lagrange = [read_point(data, rows + index) for index in range(rows)]
    for index, point in enumerate(powers):
        assert point == bn128.multiply(bn128.G1, pow(srs.DEVELOPMENT_TAU, index, FIELD_MODULUS))
    # The Lagrange basis interpolates: sum L_i = 1 and sum w^i L_i = x.
    omega = pow(7, (FIELD_MODULUS - 1) >> K, FIELD_MODULUS)
    one, identity = None, None
    for index, point in enumerate(lagrange):
        one = bn128.add(one, point)
        identity = bn128.add(identity, bn128.multiply(point, pow(omega, index, FIELD_MODULUS)))
    assert one == bn128.G1
    assert identity == powers[1]


def test_several_processes_write_the_same_points(tmp_path: Path) -> None:
    """Above one chunk the work is spread; the points of the smaller size are its beginning."""
    large = srs.development_srs(13, tmp_path).read_bytes()
    small = srs.development_srs(K, tmp_path).read_bytes()
    assert large[4 : 4 + POINT * (1 << K)] == small[4 : 4 + POINT * (1 << K)]
    last = read_point(large, (1 << 13) - 1)
    power = pow(srs.DEVELOPMENT_TAU, (1 << 13) - 1, FIELD_MODULUS)
    assert last == bn128.multiply(bn128.G1, power)


def test_g2_words_belong_to_the_secret() -> None:
    point = bn128.neg(bn128.multiply(bn128.G2, srs.DEVELOPMENT_TAU))
    x, y = (coordinate.coeffs for coordinate in point)
    words = [f"0x{int(value):064x}" for value in (x[1], x[0], y[1], y[0])]
    assert tuple(words) == srs.DEVELOPMENT_G2


def test_public_g2_is_a_point_of_the_right_order() -> None:
    words = [int(word, 16) for word in srs.PUBLIC_G2]
    point = (bn128.FQ2([words[1], words[0]]), bn128.FQ2([words[3], words[2]]))
    assert bn128.is_on_curve(point, bn128.b2)
    assert bn128.multiply(point, bn128.curve_order) is None
    assert srs.PUBLIC_G2 != srs.DEVELOPMENT_G2


def test_cached_file_is_kept_and_a_cut_one_is_made_anew(tmp_path: Path) -> None:
    path = srs.development_srs(K, tmp_path)
    whole, stamp = path.read_bytes(), path.stat().st_mtime_ns
    assert srs.development_srs(K, tmp_path).stat().st_mtime_ns == stamp
    path.write_bytes(whole[:100])
    assert srs.development_srs(K, tmp_path).read_bytes() == whole
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("logrows", [0, srs.MAX_LOGROWS + 1])
def test_size_out_of_range(tmp_path: Path, logrows: int) -> None:
    with pytest.raises(ProofError) as caught:
        srs.development_srs(logrows, tmp_path)
    assert caught.value.code == "srs-size"
    assert not list(tmp_path.iterdir())


def test_development_srs_is_refused_off_the_development_chain() -> None:
    srs.require_srs_allowed("development", srs.DEVELOPMENT_CHAIN_ID)
    srs.require_srs_allowed("perpetual-powers-of-tau", 1)
    with pytest.raises(ProofError) as caught:
        srs.require_srs_allowed("development", 1)
    assert caught.value.code == "development-srs-refused"


MAKING = """
import sys
from pathlib import Path
from gateless_proofs.srs import development_srs

if __name__ == "__main__":
    development_srs(18, Path(sys.argv[1]))
"""


def helpers_of(pid: int) -> list[int]:
    """Processes that a process started to share its work."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        named = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
    except OSError:
        return []
    return [child for child, command in named.items() if "spawn_main" in command]


async def test_helpers_end_with_the_process_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "making.py"
    script.write_text(MAKING)
    making = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(tmp_path / "made")
    )
    try:
        made = tmp_path / "made"
        await eventually(
            "helpers have made the first points",
            lambda: any(path.stat().st_size > 4096 for path in made.glob("*")),
        )
        helpers = helpers_of(making.pid)
        assert helpers
    finally:
        making.kill()
        await making.wait()
    await eventually(
        "helpers are gone", lambda: not any(Path(f"/proc/{pid}").exists() for pid in helpers)
    )
