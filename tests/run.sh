#!/bin/sh
# Sets up rvh in .venv and runs the test suite; arguments go to pytest.
# It is the small size; RVH_TEST_SIZE=large has every case.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/pip ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check '.[test]'
# As many workers as processors, each with half a GB. A file is one worker's: its tests share what
# takes long to make.
exec .venv/bin/python -m pytest --numprocesses=logical --maxprocesses=8 --dist=loadfile "$@"
