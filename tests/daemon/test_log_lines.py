"""What a line of the log looks like to those who search it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog
from gateless.daemon.process import configure_log

DIGEST = 0xAD << 248


@pytest.fixture
def json_log() -> Iterator[None]:
    configure_log(json_lines=True)
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("json_log")
def test_ids_are_spelled_as_the_command_line_spells_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = structlog.get_logger()
    with structlog.contextvars.bound_contextvars(request_id=DIGEST):
        log.info("lazy-locked", gas_used=DIGEST)
    log.info("batch-fulfilled", request_ids=[17, DIGEST], request_id=17)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    spelled = "0xad" + "0" * 62
    assert (first["request_id"], first["gas_used"]) == (spelled, DIGEST)
    assert second["request_ids"] == [17, spelled]
    assert second["request_id"] == 17
