"""Structured reference strings: the public one, and a development one without any secret.

ezkl's ``gen_srs`` draws a fresh secret at each call, so keys, fixtures and deployed verifiers of
two machines, or of two sizes on one machine, would never agree. The development SRS here is derived
from a published sentence instead: any ``k`` on any machine has the same secret and the same G2
point. It is worthless as protection by construction, which is why it is refused off chain id 31337.

File format (halo2's ``ParamsKZG``, raw bytes): ``k`` as u32 little-endian, then ``2**k`` points
``tau^i G1``, ``2**k`` points ``L_i(tau) G1`` (Lagrange basis over the ``2**k``-th roots of unity),
``G2`` and ``tau G2``. Coordinates are 32 bytes little-endian in Montgomery form, real part first.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from gateless.core.errors import ProofError
from gateless.core.packing import FIELD_MODULUS

from gateless_proofs.worker import die_with_parent

SrsKind = Literal["development", "perpetual-powers-of-tau"]
G2Words = tuple[str, str, str, str]
Progress = Callable[[str, float], None]
Affine = tuple[int, int] | None

DEVELOPMENT_CHAIN_ID = 31337
MAX_LOGROWS = 22

#: Base field of BN254, https://eips.ethereum.org/EIPS/eip-197
BASE_MODULUS = 21888242871839275222246405745257275088696311157297823662689037894645226208583
_MONTGOMERY = (1 << 256) % BASE_MODULUS
_TWO_ADICITY = 28
_MULTIPLICATIVE_GENERATOR = 7
_POINT_BYTES = 64
_CHUNK = 4096

DEVELOPMENT_SENTENCE = (
    b"Gateless development SRS: everybody knows this secret, protect nothing with it"
)
DEVELOPMENT_TAU = int.from_bytes(hashlib.sha256(DEVELOPMENT_SENTENCE).digest()) % FIELD_MODULUS

_G2_GENERATOR = (
    0x1800DEEF121F1E76426A00665E5C4479674322D4F75EDADD46DEBD5CD992F6ED,
    0x198E9393920D483A7260BFB731FB5D25F1AA493335A9E71297E485B7AEF312C2,
    0x12C85EA5DB8C6DEB4AAB71808DCB408FE3D1E7690C43D37B4CE6CC0166FA7DAA,
    0x090689D0585FF075EC9E99AD690C3395BC4B313370B38EF355ACDADCD122975B,
)
_DEVELOPMENT_TAU_G2 = (
    0x01A31FF4EC4BC51E87E9B8992BDD2FD4C85BA722BE037F36AB6E88F6CBD31443,
    0x10AE62D5A3CC59C0840347B5F4673541E70D3A28118E74FDCB73E1DBE342FEC0,
    0x2F18819B54ADCDEC9D6A1CA45D709F12A8A626A7D45EF6933ABA845D09D05E01,
    0x1DB613CE7E50821D8D33DCE8173D9FFAD9E85FA959E3FD7B8944F1523D1D0D62,
)


def g2_words(tau_g2: Sequence[int]) -> G2Words:
    """VKA words 20 to 23 of an SRS: ``-tau G2``, imaginary parts first."""
    x_real, x_imaginary, y_real, y_imaginary = tau_g2
    words = (x_imaginary, x_real, -y_imaginary % BASE_MODULUS, -y_real % BASE_MODULUS)
    return (_word(words[0]), _word(words[1]), _word(words[2]), _word(words[3]))


def _word(value: int) -> str:
    return f"0x{value:064x}"


DEVELOPMENT_G2: G2Words = g2_words(_DEVELOPMENT_TAU_G2)

#: The same words of the perpetual powers of tau, https://github.com/privacy-scaling-explorations/
#: perpetualpowersoftau in the form of https://github.com/han0110/halo2-kzg-srs, as they stand in
#: deployed halo2 verifiers.
PUBLIC_G2: G2Words = (
    "0x186282957db913abd99f91db59fe69922e95040603ef44c0bd7aa3adeef8f5ac",
    "0x17944351223333f260ddc3b4af45191b856689eda9eab5cbcddbbe570ce860d2",
    "0x06d971ff4a7467c3ec596ed6efc674572e32fd6f52b721f97e35b0b3d3546753",
    "0x06ecdb9f9567f59ed2eee36e1e1d58797fd13cc97fafc2910f5e8a12f202fa9a",
)


def require_srs_allowed(kind: str, chain_id: int) -> None:
    """Refuses the development SRS anywhere but on the development chain.

    Raises:
        ProofError: ``development-srs-refused``.
    """
    if kind == "development" and chain_id != DEVELOPMENT_CHAIN_ID:
        raise ProofError(
            "development-srs-refused",
            f"keys made with the development SRS are worthless on chain {chain_id}",
            hint="build the bundle for that network: gateless model publish --network NAME …",
            chain_id=chain_id,
        )


def g2_of(kind: SrsKind) -> G2Words:
    """The G2 words that a verifier for this SRS accepts."""
    return DEVELOPMENT_G2 if kind == "development" else PUBLIC_G2


def srs_bytes(logrows: int) -> int:
    """Size of an SRS file for circuits of ``2**logrows`` rows."""
    return 4 + 2 * _POINT_BYTES * (1 << logrows) + 4 * _POINT_BYTES


def development_srs(logrows: int, cache_dir: Path, progress: Progress | None = None) -> Path:
    """The development SRS for ``2**logrows`` rows, generated once and cached.

    Deterministic, on all cores; about 0.2 ms per row and core.

    Raises:
        ProofError: ``srs-size`` where ``logrows`` is out of range.
    """
    if not 1 <= logrows <= MAX_LOGROWS:
        raise ProofError(
            "srs-size",
            f"no development SRS for 2^{logrows} rows",
            hint=f"the circuit must have between 2^1 and 2^{MAX_LOGROWS} rows",
        )
    target = cache_dir / f"development-{logrows}.srs"
    if target.exists() and target.stat().st_size == srs_bytes(logrows):
        return target
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=cache_dir, prefix=".srs-", delete=False) as out:
        temporary = Path(out.name)
        try:
            out.write(logrows.to_bytes(4, "little"))
            for chunk in _points(logrows, progress):
                out.write(chunk)
            for coordinate in (*_G2_GENERATOR, *_DEVELOPMENT_TAU_G2):
                out.write(_montgomery(coordinate))
            out.flush()
            os.fsync(out.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return target


def _points(logrows: int, progress: Progress | None) -> Iterator[bytes]:
    rows = 1 << logrows
    window = 8 if logrows <= 13 else 12
    tasks = [
        (basis, logrows, start, min(start + _CHUNK, rows), window)
        for basis in ("powers", "lagrange")
        for start in range(0, rows, _CHUNK)
    ]
    if len(tasks) == 2:  # one small chunk a basis: starting processes would cost more
        for task in tasks:
            yield _chunk(task)
        return
    with ProcessPoolExecutor(
        mp_context=get_context("spawn"), initializer=_end_with, initargs=(os.getpid(),)
    ) as pool:
        for done, chunk in enumerate(pool.map(_chunk, tasks), start=1):
            if progress is not None:
                progress("srs", done / len(tasks))
            yield chunk


def _end_with(parent: int) -> None:
    """Lets a helper end with the process that it helps, also one that was killed meanwhile."""
    die_with_parent()
    if os.getppid() != parent:
        os._exit(1)


def _chunk(task: tuple[str, int, int, int, int]) -> bytes:
    basis, logrows, start, end, window = task
    scalars = _powers(start, end) if basis == "powers" else _lagrange(logrows, start, end)
    points = _multiply_generator(scalars, window)
    return b"".join(_montgomery(x) + _montgomery(y) for x, y in points)


def _powers(start: int, end: int) -> list[int]:
    scalar = pow(DEVELOPMENT_TAU, start, FIELD_MODULUS)
    scalars = []
    for _ in range(start, end):
        scalars.append(scalar)
        scalar = scalar * DEVELOPMENT_TAU % FIELD_MODULUS
    return scalars


def _lagrange(logrows: int, start: int, end: int) -> list[int]:
    """``L_i(tau) = w^i (tau^n - 1) / (n (tau - w^i))`` for the ``n``-th root of unity ``w``."""
    rows = 1 << logrows
    omega = pow(_MULTIPLICATIVE_GENERATOR, (FIELD_MODULUS - 1) >> logrows, FIELD_MODULUS)
    numerator = (pow(DEVELOPMENT_TAU, rows, FIELD_MODULUS) - 1) * pow(rows, -1, FIELD_MODULUS)
    roots = []
    root = pow(omega, start, FIELD_MODULUS)
    for _ in range(start, end):
        roots.append(root)
        root = root * omega % FIELD_MODULUS
    inverses = _batch_inverse([DEVELOPMENT_TAU - root for root in roots], FIELD_MODULUS)
    return [
        root * numerator % FIELD_MODULUS * inverse % FIELD_MODULUS
        for root, inverse in zip(roots, inverses, strict=True)
    ]


def _batch_inverse(values: Sequence[int], modulus: int) -> list[int]:
    """Montgomery's trick: one inversion for all; every value must be non-zero."""
    prefixes = []
    product = 1
    for value in values:
        prefixes.append(product)
        product = product * value % modulus
    inverse = pow(product, -1, modulus)
    inverses = [0] * len(values)
    for index in range(len(values) - 1, -1, -1):
        inverses[index] = inverse * prefixes[index] % modulus
        inverse = inverse * values[index] % modulus
    return inverses


def _add_all(left: Sequence[Affine], right: Sequence[Affine]) -> list[Affine]:
    """Pairwise sums of points in affine form with one shared inversion."""
    sums: list[Affine] = [None] * len(left)
    pending: list[tuple[int, int, int, int, int, int]] = []
    for index, (first, second) in enumerate(zip(left, right, strict=True)):
        if first is None or second is None:
            sums[index] = second if first is None else first
            continue
        x_first, y_first = first
        x_second, y_second = second
        if x_first != x_second:
            rise, run = y_second - y_first, x_second - x_first
        elif y_first == y_second:
            rise, run = 3 * x_first * x_first, 2 * y_first
        else:
            continue
        pending.append((index, x_first, y_first, x_second, rise, run))
    inverses = _batch_inverse([entry[5] for entry in pending], BASE_MODULUS)
    for (index, x_first, y_first, x_second, rise, _), inverse in zip(
        pending, inverses, strict=True
    ):
        slope = rise * inverse % BASE_MODULUS
        x_sum = (slope * slope - x_first - x_second) % BASE_MODULUS
        sums[index] = (x_sum, (slope * (x_first - x_sum) - y_first) % BASE_MODULUS)
    return sums


def _multiply_generator(scalars: Sequence[int], window: int) -> list[tuple[int, int]]:
    """``scalar * G1`` for each scalar, by fixed-base windows."""
    totals: list[Affine] = [None] * len(scalars)
    mask = (1 << window) - 1
    base: Affine = (1, 2)
    for shift in range(0, 256, window):
        table = _multiples(base, 1 << window)
        base = _add_all([table[-1]], [base])[0]
        totals = _add_all(totals, [table[(scalar >> shift) & mask] for scalar in scalars])
    points = [point for point in totals if point is not None]
    if len(points) != len(scalars):
        raise ProofError("srs-degenerate", "the development secret is a root of unity")
    return points


def _multiples(base: Affine, count: int) -> list[Affine]:
    """``[0, base, 2 base, …]``, ``count`` (a power of two) entries, by doubling the table."""
    table: list[Affine] = [None]
    step = base
    while len(table) < count:
        table += _add_all(table, [step] * len(table))
        step = _add_all([step], [step])[0]
    return table


def _montgomery(coordinate: int) -> bytes:
    return (coordinate * _MONTGOMERY % BASE_MODULUS).to_bytes(32, "little")
