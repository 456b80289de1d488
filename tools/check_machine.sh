#!/usr/bin/env bash
# Says what is missing before anything is installed: Python >= 3.11 with venv, Node >= 20, npm.
set -euo pipefail
python=${1:-python3}

fail() {
  printf 'Gateless needs %s.\n%s\n' "$1" "$2" >&2
  exit 1
}

command -v "$python" >/dev/null || fail "Python 3.11 or newer" "Install it, or name it: make PYTHON=/path/to/python3 ..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "Python 3.11 or newer, but $python is $("$python" --version)" "Name another: make PYTHON=python3.12 ..."
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "Python's venv module" "On Debian: apt-get install python3-venv"
command -v node >/dev/null || fail "Node 20 or newer" "Install it from your distribution or nodejs.org."
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
  fail "Node 20 or newer, but node is $(node --version)" "Install a newer one."
command -v npm >/dev/null || fail "npm" "It comes with Node; on Debian: apt-get install npm"
