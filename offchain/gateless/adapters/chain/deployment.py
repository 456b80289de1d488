"""The deployments file: where a network's contracts are. One JSON file per network.

``<home>/networks/<name>.json``. Written by whoever deploys, read by everybody else.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gateless.core.addresses import is_checksum_address
from gateless.core.amounts import format_amount
from gateless.core.errors import ConfigError

SrsKind = Literal["development", "perpetual-powers-of-tau"]
#: Plain decimal notation only; 78 digits hold every uint256.
_AMOUNT = re.compile(r"([0-9]{1,78})(?:\.([0-9]{1,78}))?")
_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"

#: Contracts without which a deployment is none.
REQUIRED_CONTRACTS = ("ModelRegistry", "ZkVerifier", "ExecutorStaking", "InferenceMarket")


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """The market's ERC-20 and how its amounts are written."""

    address: str
    symbol: str
    decimals: int

    def format(self, amount: int) -> str:
        """``amount`` in token units as people write it, with the symbol; exact."""
        return format_amount(amount, self)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A network: chain, RPC endpoints, token and contract addresses.

    Attributes:
        rpc_url: the endpoint that is asked first; web pages ask no other.
        start_block: at or before the block of the first contract: where event scans begin.
        other_rpc_urls: endpoints that are asked when the first cannot answer.
    """

    name: str
    chain_id: int
    rpc_url: str
    token: TokenInfo
    contracts: dict[str, str]
    start_block: int
    srs: SrsKind
    other_rpc_urls: tuple[str, ...] = ()

    @property
    def rpc_urls(self) -> tuple[str, ...]:
        """All endpoints, in the order in which they are asked."""
        return (self.rpc_url, *self.other_rpc_urls)

    def reached_by(self, urls: Sequence[str]) -> Deployment:
        """The same network by other endpoints; by the same ones where none are given."""
        if not urls:
            return self
        return replace(self, rpc_url=urls[0], other_rpc_urls=tuple(urls[1:]))

    def address(self, contract: str) -> str:
        """Address of a contract by name.

        Raises:
            ConfigError: ``unknown-contract``.
        """
        try:
            return self.contracts[contract]
        except KeyError:
            raise ConfigError(
                "unknown-contract",
                f"network {self.name!r} has no {contract}",
                hint="known are: " + ", ".join(sorted(self.contracts)),
            ) from None


def _checksummed(value: str) -> str:
    if not is_checksum_address(value):
        raise ValueError("not an EIP-55 address")
    return value


_Address = Annotated[str, AfterValidator(_checksummed)]


class _TokenFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    address: _Address
    symbol: str = Field(min_length=1, max_length=32)
    decimals: int = Field(ge=0, le=36)


class _DeploymentFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern=_NAME)
    chain_id: int = Field(gt=0)
    rpc_url: str = Field(pattern=r"^https?://")
    token: _TokenFile
    contracts: dict[str, _Address]
    start_block: int = Field(ge=0)
    srs: SrsKind
    other_rpc_urls: list[Annotated[str, Field(pattern=r"^https?://")]] = Field(default_factory=list)


def network_path(name: str, home: Path) -> Path:
    """Where the file of network ``name`` is kept."""
    return home / "networks" / f"{name}.json"


def list_networks(home: Path) -> list[str]:
    """Names of the networks that have a file."""
    return sorted(path.stem for path in (home / "networks").glob("*.json"))


def load_deployment(reference: str | Path, home: Path) -> Deployment:
    """Reads a deployments file.

    Args:
        reference: name of a network, or path of a file (a ``Path``, or text that holds a ``/`` or
            ends in ``.json``).
        home: Gateless' folder, for names.

    Raises:
        ConfigError: ``unknown-network``, ``invalid-deployment``.
    """
    is_path = isinstance(reference, Path) or "/" in reference or reference.endswith(".json")
    path = Path(reference) if is_path else network_path(str(reference), home)
    try:
        parsed = _DeploymentFile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        known = list_networks(home)
        raise ConfigError(
            "unknown-network",
            f"there is no deployments file at {path}",
            hint=f"known networks: {', '.join(known)}"
            if known
            else "start one: gateless devnet up",
        ) from None
    except OSError as error:
        raise ConfigError("invalid-deployment", f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _invalid(path, f"{where}: {first['msg']}") from error
    missing = [name for name in REQUIRED_CONTRACTS if name not in parsed.contracts]
    if missing:
        raise _invalid(path, f"it lacks {', '.join(missing)}")
    return Deployment(
        name=parsed.name,
        chain_id=parsed.chain_id,
        rpc_url=parsed.rpc_url,
        token=TokenInfo(parsed.token.address, parsed.token.symbol, parsed.token.decimals),
        contracts=dict(parsed.contracts),
        start_block=parsed.start_block,
        srs=parsed.srs,
        other_rpc_urls=tuple(parsed.other_rpc_urls),
    )


def save_deployment(deployment: Deployment, home: Path) -> Path:
    """Writes the file of a network, atomically; returns its path."""
    path = network_path(deployment.name, home)
    token = deployment.token
    data = {
        "name": deployment.name,
        "chain_id": deployment.chain_id,
        "rpc_url": deployment.rpc_url,
        "token": {
            "address": token.address,
            "symbol": token.symbol,
            "decimals": token.decimals,
        },
        "contracts": deployment.contracts,
        "start_block": deployment.start_block,
        "srs": deployment.srs,
    }
    if deployment.other_rpc_urls:
        data["other_rpc_urls"] = list(deployment.other_rpc_urls)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=".network-", delete=False, encoding="utf-8"
        ) as file:
            temporary = Path(file.name)
            file.write(json.dumps(data, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(
            "deployment-unwritable",
            f"cannot write {path}: {error.strerror}",
            hint="check the folder's permissions and free space",
        ) from error
    return path


def _invalid(path: Path, why: str) -> ConfigError:
    return ConfigError(
        "invalid-deployment",
        f"{path} is no deployments file: {why}",
        hint="get the network's file again from whoever runs it, or restart the devnet",
    )
