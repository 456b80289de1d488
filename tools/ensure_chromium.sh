#!/usr/bin/env bash
# Installs Chromium for tests/browser where it is missing and can be had: by apt, as root. Elsewhere it says what to do;
# the tests are skipped then, and say so.
set -euo pipefail

if [ -n "${GATELESS_CHROMIUM:-}" ]; then exit 0; fi
for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the tests of the example page ..."
  if timeout 300 bash -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium' >/dev/null; then
    exit 0
  fi
fi
echo "No Chromium: the tests of the example page (tests/browser) will be skipped. Install the package chromium, or" >&2
echo "name a browser: GATELESS_CHROMIUM=/path/to/chrome" >&2
