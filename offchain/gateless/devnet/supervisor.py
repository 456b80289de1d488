"""Runs a command until it ends or its starter does, whatever way the starter ended.

Started as a script by :mod:`gateless.devnet.anvil`, with the command as arguments and a pipe as
stdin. End of that pipe means that the starter is gone, even by ``kill -9``: then the command is
asked to end, so that it can save its state, and killed if it does not. Uses the standard library
only, and none of this package, so that it starts in no time.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys

_GRACE_SECONDS = 10.0
_POLL_MILLISECONDS = 200


def main(command: list[str]) -> int:
    """Runs the command; returns its exit code."""
    # A Ctrl-C in the terminal is the starter's to handle; it closes the pipe when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    print(f"supervisor: started {child.pid}", flush=True)
    signal.signal(signal.SIGTERM, lambda _number, _frame: child.terminate())
    poll = select.poll()
    poll.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    while child.poll() is None:
        if poll.poll(_POLL_MILLISECONDS) and not os.read(sys.stdin.fileno(), 4096):
            child.terminate()
            break
    try:
        return child.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
