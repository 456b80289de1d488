"""The process that the forecast is trained on, seeded: GARCH(1,1) with averaged prices.

Within period t the price makes 16 Gaussian steps whose variances sum to h(t), in percent squared;
h(t+1) = w + 0.30 r(t)² + 0.60 h(t), with r(t) the period's return. A path's long-run volatility
sqrt(w / 0.10) is drawn log-uniformly between 0.05% and 5%, so that no level is favoured. What is
seen of a period is its average price, as `VolatilityFeePool` sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Changes of the average price that a forecast is made from; as in `VolatilityFeePool`.
WINDOW = 8
ALPHA, BETA = 0.30, 0.60
STEPS = 16
LOWEST, HIGHEST = 0.05, 5.0

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Samples:
    """Windows of absolute changes, oldest first, in percent.

    Attributes:
        changes: what the forecast is made from.
        deviation: standard deviation that the process had for the next change; nobody observes it.
    """

    changes: FloatArray
    deviation: FloatArray


def simulate(seed: int, paths: int, periods: int) -> tuple[FloatArray, FloatArray]:
    """Absolute changes of the average price and their deviations, in percent: one row per path."""
    random = np.random.default_rng(seed)
    level = np.exp(random.uniform(np.log(LOWEST), np.log(HIGHEST), paths)) ** 2
    variance, price = level.copy(), np.zeros(paths)
    averages, variances = np.empty((paths, periods + 1)), np.empty((paths, periods + 1))
    for period in range(periods + 1):
        deviation = np.sqrt(variance / STEPS)[:, None]
        steps = np.cumsum(random.normal(size=(paths, STEPS)) * deviation, axis=1)
        averages[:, period] = np.exp((price[:, None] + steps) / 100).mean(axis=1)
        price, variances[:, period] = price + steps[:, -1], variance
        variance = (1 - ALPHA - BETA) * level + ALPHA * steps[:, -1] ** 2 + BETA * variance
    changes: FloatArray = np.abs(averages[:, 1:] / averages[:, :-1] - 1) * 100
    # Of two neighbouring averages of a random walk each period's variance enters by a third.
    deviations: FloatArray = np.sqrt((variances[:, 1:] + variances[:, :-1]) / 3)
    return changes, deviations


def samples(seed: int, paths: int = 128, periods: int = 160) -> Samples:
    """All windows of a simulation after a run-in."""
    changes, deviations = (values[:, 32:] for values in simulate(seed, paths, periods))
    windows = np.lib.stride_tricks.sliding_window_view(changes, WINDOW + 1, axis=1)
    return Samples(
        changes=windows.reshape(-1, WINDOW + 1)[:, :WINDOW].copy(),
        deviation=deviations[:, WINDOW:].reshape(-1),
    )
