"""Where passwords and keys come from: a file, the environment, a prompt. Never an argument.

Arguments are seen by every user of the machine (``ps``) and stay in the shell's history.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path

from gateless.core.errors import WalletError

PASSWORD_VARIABLE = "GATELESS_PASSWORD"  # noqa: S105 -- a variable's name
_MAX_SECRET_BYTES = 1 << 16


def read_password(
    prompt: str,
    *,
    file: Path | None,
    environ: Mapping[str, str],
    fallback: str | None = None,
    interactive: bool,
    confirm: bool = False,
) -> str:
    """The password, from the first source that has one.

    Args:
        prompt: what to ask.
        file: file with the password in its first line.
        environ: the environment; ``GATELESS_PASSWORD``.
        fallback: the published password of a development wallet.
        interactive: whether somebody can be asked.
        confirm: whether to ask twice, for new passwords.

    Raises:
        WalletError: ``password-required``, ``password-file-unreadable``, ``passwords-differ``.
    """
    if file is not None:
        return read_secret(file).split("\n", 1)[0].rstrip("\r")
    if environ.get(PASSWORD_VARIABLE):
        return environ[PASSWORD_VARIABLE]
    if fallback is not None:
        return fallback
    if not interactive:
        raise WalletError(
            "password-required",
            "the wallet's password is needed and nobody can be asked",
            hint=f"give --password-file FILE or set {PASSWORD_VARIABLE}",
        )
    password = ask_secret(prompt)
    if confirm and ask_secret("The same again") != password:
        raise WalletError(
            "passwords-differ", "the two passwords differ", hint="nothing was stored; try again"
        )
    return password


def read_secret(file: Path) -> str:
    """Text of a small file.

    Raises:
        WalletError: ``password-file-unreadable``.
    """
    try:
        with file.expanduser().open("rb") as handle:
            return handle.read(_MAX_SECRET_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise WalletError(
            "password-file-unreadable",
            f"cannot read {file}: {reason}",
            hint="check the path and its permissions",
        ) from error


def ask_secret(prompt: str) -> str:
    """Asks on the terminal without showing what is typed."""
    try:
        return getpass.getpass(f"{prompt}: ")
    except EOFError as error:
        raise KeyboardInterrupt from error
