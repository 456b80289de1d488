"""A whole network on one machine: anvil, the contracts, accounts with test money.

Also deploys to other chains: :mod:`gateless.devnet.deploy` knows nothing of anvil.
"""

from __future__ import annotations

from gateless.devnet.network import Devnet, running_devnet

__all__ = ["Devnet", "running_devnet"]
