"""``backup`` and ``restore`` of executors and watchtowers; journals in a database of one's own."""

from __future__ import annotations

from cli_fixtures import MakeWallet, Shell
from gateless.adapters.db import DatabaseUrl
from gateless.devnet import Devnet
from gateless.executor import ExecutorConfig, Journal
from gateless.watchtower import Journal as WatchJournal
from gateless.watchtower import WatchtowerConfig


async def test_a_journal_is_saved_while_it_is_open_and_put_back(
    devnet: Devnet, shell: Shell, make_wallet: MakeWallet
) -> None:
    address = await make_wallet("op")
    market = devnet.client.market.address
    url = ExecutorConfig.in_home(shell.home, devnet.deployment.name, market, address).journal
    other, saved = shell.home / "other.db", shell.home / "journal.backup"

    async def opened(where: DatabaseUrl) -> Journal:
        return await Journal.open(
            where, chain_id=devnet.deployment.chain_id, market=market, account=address, alone=True
        )

    missing = await shell("executor", "backup", saved, "--json", code=11)
    assert missing.error["code"] == "no-database"
    journal = await opened(url)
    await journal.keep_input(b"\1" * 32, "22" * 32, 7)
    done = await shell("executor", "backup", saved, "--json")
    assert done.data["bytes"] == saved.stat().st_size
    running = await shell("executor", "restore", saved, "--json", code=11)
    assert running.error["code"] == "already-running"
    await journal.close()

    there = await shell("executor", "restore", saved, "--json", code=11)
    assert there.error["code"] == "file-exists"
    await shell("executor", "restore", saved, "--database", other)
    journal = await opened(DatabaseUrl.of_path(other))
    assert await journal.input_of(b"\1" * 32) == "22" * 32
    await journal.close()
    status = await shell("executor", "status", "--database", f"sqlite:///{other}", "--json")
    assert status.data["work"] == {}
    await shell("executor", "restore", "--database", other)  # marked only


async def test_a_database_server_that_is_not_there_is_named_without_its_password(
    devnet: Devnet, shell: Shell, make_wallet: MakeWallet
) -> None:
    await make_wallet("op")
    url = "postgresql://op:s3cret@127.0.0.1:1/gateless"
    for arguments in (("executor", "status"), ("executor", "restore"), ("watchtower", "status")):
        refused = await shell(*arguments, "--database", url, "--json", code=12)
        assert refused.error["code"] == "database-unreachable"
        assert "s3cret" not in refused.stderr
    saved = await shell("executor", "backup", "file", "--database", url, "--json", code=11)
    assert saved.error["code"] == "not-sqlite"
    wrong = await shell("executor", "status", "--database", "mysql://me:s3cret@db/x", code=11)
    assert "invalid-database-url" in wrong.stderr
    assert "s3cret" not in wrong.stderr


async def test_a_watchtowers_journal_is_saved_and_put_back(
    devnet: Devnet, shell: Shell, make_wallet: MakeWallet
) -> None:
    address = await make_wallet("tower")
    me = {"GATELESS_WALLET": "tower"}
    court = devnet.client.court.address
    usual = WatchtowerConfig.in_home(shell.home, devnet.deployment.name, court, address).journal
    saved = shell.home / "watchtower.backup"
    journal = await WatchJournal.open(
        usual, chain_id=devnet.deployment.chain_id, court=court, account=address, alone=True
    )
    done = await shell("watchtower", "backup", saved, "--json", **me)
    assert done.data["bytes"] == saved.stat().st_size
    running = await shell("watchtower", "restore", saved, "--json", code=11, **me)
    assert running.error["code"] == "already-running"
    await journal.close()

    assert usual.path is not None
    usual.path.unlink()
    wrong = await shell("executor", "restore", saved, "--json", code=11, **me)
    assert wrong.error["code"] in ("database-newer", "journal-unreadable", "journal-of-another")
    await shell("watchtower", "restore", saved, **me)
    await shell("watchtower", "restore", **me)  # marked only
    status = await shell("watchtower", "status", "--json", **me)
    assert status.data["counts"] == {}
    assert status.data["sandbox"]["network"] in ("namespace", "seccomp")
