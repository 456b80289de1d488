"""Rows as the API spells them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import RowMapping

from gateless.core.types import ZERO_ADDRESS, TrustMode, modes_of
from gateless.indexer.api import answers
from gateless.indexer.reputation import SCALE, percentile, success_rate

Row = RowMapping


def word(number: int) -> str:
    """256 bits in hex."""
    return f"0x{number:064x}"


def listing(row: Row) -> answers.Listing:
    """A found model."""
    return answers.Listing(
        name=row["name"],
        model_id=row["model_id"],
        version_id=row["version_id"],
        holder=row["holder"],
        status=row["status"],
        modes=_modes(row["modes"]),
        price=_amount(row["price"]),
        executors=row["executors"],
        success_rate=_rate(row["success"]),
        latency=row["latency"],
        score=row["score"] / SCALE,
        royalty_bps=row["royalty_bps"],
        proof_seconds=row["proof_seconds"],
        published_at=row["published_at"],
        description=row["description"] or "",
        task=row["task"],
        license=row["license"] or "",
        tags=row["tags"] or [],
    )


def model(row: Row) -> answers.Model:
    """A model."""
    return answers.Model(
        model_id=row["model_id"],
        name=row["name"],
        creator=row["creator"] or ZERO_ADDRESS,
        holder=row["holder"] or ZERO_ADDRESS,
        created_at=row["created_at"],
        versions=row["versions"],
        latest=row["latest"],
        stable=row["stable"],
        royalties=str(row["royalties"]),
        royalties_withdrawn=str(row["royalties_withdrawn"]),
    )


def alias(row: Row) -> answers.Alias:
    """An alias of a model."""
    return answers.Alias(alias=row["alias"], version_id=row["version_id"], set_at=row["set_at"])


def version_line(row: Row) -> answers.VersionLine:
    """A version in short."""
    return answers.VersionLine(
        version_id=row["version_id"],
        index=row["version_id"] & 0xFFFFFFFF,
        publisher=row["publisher"],
        manifest_digest=row["manifest_digest"],
        modes=_modes(row["modes"]),
        royalty_bps=row["royalty_bps"],
        published_at=row["published_at"],
        deprecated=row["deprecated"],
        requests=row["requests"],
        fulfilled=row["fulfilled"],
        success_rate=_rate(success_rate(dict(row))),
        score=row["score"] / SCALE,
    )


def version(row: Row) -> answers.Version:
    """A version with its manifest."""
    return answers.Version(
        version_id=row["version_id"],
        model_id=row["model_id"],
        index=row["version_id"] & 0xFFFFFFFF,
        name=row["name"],
        publisher=row["publisher"],
        model_digest=row["model_digest"],
        manifest_digest=row["manifest_digest"],
        modes=_modes(row["modes"]),
        royalty_bps=row["royalty_bps"],
        proof_seconds=row["proof_seconds"],
        repeatable=row["repeatable"],
        circuits=[
            answers.Circuit(
                vka_digest=circuit["vkaDigest"],
                batch_size=circuit["batchSize"],
                proof_length=circuit["proofLength"],
            )
            for circuit in row["circuits"]
        ],
        uri=row["uri"],
        published_at=row["published_at"],
        deprecated=row["deprecated"],
        deprecation_reason=row["deprecation_reason"],
        requests=row["requests"],
        record=record(row),
        manifest=answers.Manifest(
            state=row["manifest_state"] or "wanted",
            description=row["description"] or "",
            task=row["task"] or "",
            license=row["license"] or "",
            tags=row["tags"] or [],
            labels=row["labels"] or [],
            inputs=row["inputs"] or [],
            outputs=row["outputs"] or [],
        ),
    )


def record(row: Row) -> answers.Record:
    """An executor's or a version's record."""
    return answers.Record(
        score=row["score"] / SCALE,
        success_rate=_rate(success_rate(dict(row))),
        fulfilled=row["fulfilled"],
        expired=row["expired"],
        slashed=row["slashed"],
        challenges_won=row["defended"],
        self_dealt=row["self_dealt"],
        volume=str(row["volume"]),
        to_lock=_latency(row["lock_times"]),
        to_answer=_latency(row["work_times"]),
        request_to_answer=_latency(row["total_times"]),
    )


def executor(row: Row) -> answers.Executor:
    """An executor."""
    return answers.Executor(
        address=row["address"],
        endpoint=row["endpoint"],
        receipt_key=row["receipt_key"],
        min_price=str(row["min_price"]),
        capacity=row["capacity"],
        stake=str(row["stake"]),
        allocations={slasher: str(held) for slasher, held in row["allocations"].items()},
        slashed_amount=str(row["slashed_amount"]),
        seen_at=row["seen_at"],
        record=record(row),
    )


def enrolment(row: Row) -> answers.Enrolment:
    """Who serves what."""
    return answers.Enrolment(
        version_id=row["version_id"],
        executor=row["executor"],
        runtime_class=row["runtime_class"],
        stake=str(row["stake"]),
    )


def pool(row: Row) -> answers.Pool:
    """A pool of receipts."""
    return answers.Pool(
        pool_id=word(row["pool_id"]),
        executor=row["executor"],
        epoch=row["epoch"],
        bond=str(row["bond"]),
        capacity=row["capacity"],
        state=row["state"],
    )


def request(row: Row) -> answers.Request:
    """A request."""
    return answers.Request(
        request_id=word(row["request_id"]),
        market=row["market"],
        mode=_mode(row["mode"]),
        version_id=row["version_id"],
        requester=row["requester"],
        executor=row["executor"],
        named_executor=row["named_executor"],
        state=row["state"],
        reason=row["reason"],
        max_price=str(row["max_price"]),
        price=_amount(row["price"]),
        fee=_amount(row["fee"]),
        royalty=_amount(row["royalty"]),
        collateral=str(row["collateral"]),
        deadline=row["deadline"],
        missed_locks=row["missed_locks"],
        input_digest=row["input_digest"],
        input_binding=row["input_binding"],
        input_hint=row["input_hint"],
        output_digest=row["output_digest"],
        how=row["how"] or None,
        seats=row["seats"],
        requested_at=row["requested_at"],
        locked_at=row["locked_at"],
        answered_at=row["answered_at"],
        ended_at=row["ended_at"],
        requested_tx=row["requested_tx"],
        ended_tx=row["ended_tx"],
    )


def result(row: Row) -> answers.Result:
    """A final output."""
    return answers.Result(
        request_id=word(row["request_id"]),
        market=row["market"],
        mode=_mode(row["mode"]),
        how=row["how"],
        version_id=row["version_id"],
        input_binding=row["input_binding"],
        output_digest=row["output_digest"],
        output=row["output"],
        executor=row["executor"],
        requester=row["requester"],
        final_at=row["ended_at"],
        topic=row["topic"],
        board_index=row["board_index"],
    )


def dispute(row: Row) -> answers.Dispute:
    """A doubt."""
    return answers.Dispute(
        kind=row["kind"],
        dispute_id=word(row["dispute_id"]),
        state=row["state"],
        executor=row["executor"],
        challenger=row["challenger"],
        beneficiary=row["beneficiary"],
        version_id=row["version_id"],
        bond=str(row["bond"]),
        compensation=str(row["compensation"]),
        reward=str(row["reward"]),
        burned=str(row["burned"]),
        deadline=row["deadline"],
        opened_at=row["opened_at"],
        ended_at=row["ended_at"],
    )


def earnings(address: str, row: Row | None) -> answers.Earnings:
    """What an account earned; zeros where it is not known."""
    amounts = ("fees", "royalties", "rewards", "bonds_won", "bonds_lost", "compensation", "spent")
    told: dict[str, Any] = {name: str(row[name] if row else 0) for name in amounts}
    told |= {name: row[name] if row else 0 for name in ("answers", "asked")}
    return answers.Earnings(address=address, **told)


def usage(row: Row) -> answers.Usage:
    """What happened on a day."""
    day = datetime.fromtimestamp(row["day"] * 86_400, UTC).date()
    return answers.Usage(
        date=day.isoformat(),
        version_id=row["version_id"],
        mode=_mode(row["mode"]),
        requests=row["requests"],
        fulfilled=row["fulfilled"],
        refunded=row["refunded"],
        slashed=row["slashed"],
        fees=str(row["fees"]),
        royalties=str(row["royalties"]),
    )


def _modes(mask: int) -> list[answers.Mode]:
    return [_mode(mode) for mode in modes_of(mask)]


def _mode(number: int) -> answers.Mode:
    return cast(answers.Mode, TrustMode(number).name)


def _amount(units: int | None) -> str | None:
    return None if units is None else str(units)


def _rate(parts: int | None) -> float | None:
    return None if parts is None else parts / SCALE


def _latency(histogram: Mapping[str, int]) -> answers.Latency | None:
    p50, p90, p99 = (percentile(histogram, share) for share in (0.5, 0.9, 0.99))
    if p50 is None or p90 is None or p99 is None:
        return None
    return answers.Latency(p50=p50, p90=p90, p99=p99)
