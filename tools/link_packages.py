"""Makes this tree's packages and the `gateless` command usable from its virtual environment.

An editable install without a build back end: nothing but the locked dependencies is ever fetched.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    paths = [ROOT / "offchain", ROOT / "proofs"]
    site = Path(sysconfig.get_path("purelib"))
    (site / "gateless.pth").write_text("".join(f"{path}\n" for path in paths))
    command = Path(sysconfig.get_path("scripts")) / "gateless"
    command.write_text(f"#!{sys.executable}\nfrom gateless.cli.main import run\n\nrun()\n")
    command.chmod(0o755)


if __name__ == "__main__":
    main()
