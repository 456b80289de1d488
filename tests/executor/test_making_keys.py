"""Keys are made outside of the proofs' memory: never two at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from gateless.daemon.versions import Versions
from gateless.devnet import Devnet
from gateless_proofs import Bundle, KeyCache
from market_fixtures import TinyModel


class WatchedKeys(KeyCache):
    """A real cache that counts how many keys are asked for at once."""

    now = most = 0

    async def proving_key(self, *arguments: Any, **options: Any) -> Path:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await super().proving_key(*arguments, **options)
        finally:
            self.now -= 1


async def test_keys_of_several_versions_are_made_one_after_the_other(
    devnet: Devnet, tiny_model: TinyModel, batching_bundle: Bundle, tmp_path: Path
) -> None:
    keys = WatchedKeys(tmp_path / "cache")
    me, bundles = "0x" + "11" * 20, tmp_path / "bundles"
    versions = Versions(
        devnet.client,
        None,  # type: ignore[arg-type]
        keys,
        bundles,
        me,
        max_bundle_bytes=1 << 30,
    )
    await asyncio.gather(
        versions.make_key(tiny_model.bundle, 0),
        versions.make_key(batching_bundle, 0),
        versions.make_key(batching_bundle, 1),
    )
    assert keys.most == 1
    assert len(list((tmp_path / "cache" / "keys").glob("*/pk.key"))) >= 2
