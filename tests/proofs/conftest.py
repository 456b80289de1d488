"""Circuits that several test modules use, built once per process."""

from __future__ import annotations

import numpy as np
import pytest
from gateless_proofs import KeyCache
from proof_fixtures import LIMITS, Built, build, normal
from tiny_models import dense


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> KeyCache:
    return KeyCache(tmp_path_factory.mktemp("keys"), LIMITS)


@pytest.fixture(scope="session")
async def mlp(tmp_path_factory: pytest.TempPathFactory, cache: KeyCache) -> Built:
    """A packed, exact circuit: 4-6-3 with ReLU."""
    folder = tmp_path_factory.mktemp("mlp")
    model = dense(folder / "mlp.onnx", [4, 6, 3])
    return await build(model, normal(12, 4), folder / "bundle", cache)


@pytest.fixture(scope="session")
async def committed(tmp_path_factory: pytest.TempPathFactory, cache: KeyCache) -> Built:
    """An exact circuit whose input is bound by a KZG commitment because it is large."""
    folder = tmp_path_factory.mktemp("committed")
    model = dense(folder / "mlp.onnx", [140, 3, 2])
    return await build(model, normal(8, 140), folder / "bundle", cache)


@pytest.fixture(scope="session")
async def rescaled(tmp_path_factory: pytest.TempPathFactory, cache: KeyCache) -> Built:
    """A circuit with a lookup table and rescales: 3-3-2 with a sigmoid."""
    folder = tmp_path_factory.mktemp("rescaled")
    model = dense(folder / "mlp.onnx", [3, 3, 2], activation="Sigmoid")
    return await build(
        model, np.clip(normal(8, 3), -1, 1), folder / "bundle", cache, accuracy_bound=0.1
    )
