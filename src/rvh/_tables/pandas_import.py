"""pyarrow and pandas: with its first array the one imports the other, where it is installed.

That takes longer than all else at the start of a small job, and a process that has no use for
pandas may leave it out.
"""

from __future__ import annotations

import sys
from contextlib import suppress


class _Refusal:
    """An importer that says of pandas that it is not there."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(f"{name} is left out of this process", name=name)


_REFUSAL = _Refusal()


def leave_out_pandas() -> None:
    """Keep this process from importing pandas until `use_pandas`; not for one with other users."""
    sys.meta_path.insert(0, _REFUSAL)  # pyarrow would take None in sys.modules for a module


def use_pandas() -> None:
    """Let pyarrow import pandas, where it is installed: only that holds nanoseconds."""
    import pyarrow as pa  # type: ignore[import-untyped]  # here: who leaves it out may not need it

    with suppress(ValueError):
        sys.meta_path.remove(_REFUSAL)
    with suppress(ImportError):
        pa.lib._pandas_api.series([])  # which asks again, where `pa.array` does not
