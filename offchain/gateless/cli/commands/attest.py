"""``gateless attest``: keys that vouch for answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gateless.cli.answers import Signers, Threshold, hex_bytes, key_set, parse_id, spell_id
from gateless.cli.command import command
from gateless.cli.context import Cli
from gateless.cli.lazy import id_argument
from gateless.cli.output import facts
from gateless.cli.render import transactions, with_transactions
from gateless.core.errors import InputError

if TYPE_CHECKING:
    from gateless.sdk import AsyncGateless
    from gateless.sdk.progress import ProgressSink

app = typer.Typer(help="Answers for which keys vouch: sign them, bring them.", no_args_is_help=True)

_Id = Annotated[str, id_argument()]
_Output = Annotated[
    str | None,
    typer.Option(metavar="HEX", help="The packed output (default: run the model here)."),
]


@command(app, "policy", example="gateless attest policy --signer 0x… --signer 0x… --threshold 2")
async def _policy(cli: Cli, signers: Signers = None, threshold: Threshold = None) -> None:
    """Show what requests pin that believe these keys."""
    chosen = key_set(signers, threshold)
    cli.output.result(
        {
            "policy": "0x" + chosen.policy.hex(),
            "threshold": chosen.threshold,
            "keys": list(chosen.keys),
        },
        facts(
            [
                ("policy", "0x" + chosen.policy.hex()),
                ("threshold", f"{chosen.threshold} of {len(chosen.keys)}"),
                *(("key", key) for key in chosen.keys),
            ]
        ),
    )


@command(app, "sign", example="gateless attest sign 0x1f… --executor 0x… --wallet enclave")
async def _sign(
    cli: Cli,
    request_id: _Id,
    executor: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Who brings the answer and is paid for it.")
    ],
    output: _Output = None,
) -> None:
    """Vouch with the wallet's key that this is the answer to a request."""
    from gateless.sdk.terms import checked_address

    number, bringer = parse_id(request_id), str(checked_address(executor, "executor"))
    async with cli.network("executor") as gateless:
        with cli.progress() as progress:
            packed = await _packed(gateless, number, output, progress)
            signature = await gateless.sign_attestation(number, packed, bringer)
        key = gateless.signer.address
        cli.output.result(
            {
                "request_id": spell_id(number),
                "key": key,
                "executor": bringer,
                "packed_output": "0x" + packed.hex(),
                "signature": "0x" + signature.hex(),
            },
            facts([("key", key), ("executor", bringer), ("signature", "0x" + signature.hex())]),
        )
        cli.output.note(f"it is brought with: --signature {key}=0x{signature.hex()[:8]}…")


@command(app, "answer", example="gateless attest answer 0x1f… --signer 0x… --signature 0x…=0x…")
async def _answer(
    cli: Cli,
    request_id: _Id,
    signatures: Annotated[
        list[str] | None,
        typer.Option("--signature", metavar="ADDRESS=HEX", help="A key's signature; several."),
    ] = None,
    signers: Signers = None,
    threshold: Threshold = None,
    output: _Output = None,
) -> None:
    """Bring an answer with the signatures that its request asks for. The wallet is paid."""
    number, chosen = parse_id(request_id), key_set(signers, threshold)
    signed = dict(_signature(text) for text in signatures or ())
    async with cli.network("executor") as gateless:
        with cli.progress() as progress:
            packed = await _packed(gateless, number, output, progress)
            sent = await gateless.answer_attested(number, packed, chosen, signed, progress=progress)
        cli.output.result(
            {"request_id": spell_id(number), "transactions": transactions([sent])},
            f"request {spell_id(number)} is answered",
            *with_transactions([sent]),
        )


@command(app, "refund", example="gateless attest refund 0x1f…")
async def _refund(cli: Cli, request_id: _Id) -> None:
    """Return the price of a request that nobody answered in time. Anyone may."""
    number = parse_id(request_id)
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            sent = await gateless.refund_attested(number, progress=progress)
        cli.output.result(
            {"request_id": spell_id(number), "transactions": transactions([sent])},
            f"request {spell_id(number)} is refunded",
            *with_transactions([sent]),
        )


async def _packed(
    gateless: AsyncGateless, request_id: int, output: str | None, progress: ProgressSink
) -> bytes:
    if output is None:
        return await gateless.run_for_attestation(request_id, progress=progress)
    return hex_bytes(output, "packed output")


def _signature(text: str) -> tuple[str, bytes]:
    from gateless.sdk.terms import checked_address

    key, separator, signature = text.partition("=")
    if not separator:
        raise InputError(
            "invalid-hex",
            f"{text[:80]!r} is no signature of a key",
            hint="give ADDRESS=0x…, as gateless attest sign prints both",
        )
    return str(checked_address(key, "key")), hex_bytes(signature, "signature", 65)
