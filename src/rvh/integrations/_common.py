"""The work that all integrations share: the import that fails, the names of columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from rvh.errors import RVHError, RVHTypeError, show


def missing(engine: str) -> ImportError:
    """The error about an engine that cannot be imported."""
    return ImportError(
        f"rvh.integrations.{engine} needs {engine}, which cannot be imported: "
        f"pip install 'rvh[{engine}]'",
        name=engine,
    )


#: the engine of a type, by the package that has it
ENGINES = {
    **{engine: engine for engine in ("polars", "pandas", "dask", "ray", "datafusion", "duckdb")},
    "pyspark": "spark",
    "_duckdb": "duckdb",
}


def refuse_other(value: object, role: str, engine: str) -> None:
    """Refuse a frame or a column of another engine, whose functions have the same names."""
    kind = type(value)
    home = kind.__module__.partition(".")[0]
    if home in ("builtins", "pyarrow"):
        advice = f"pass one of {engine}"
    elif (other := ENGINES.get(home, engine)) != engine:
        advice = f"pass one of {engine}, or use rvh.integrations.{other}"
    else:  # of this engine, or of a package that stands in for it
        return
    where = "" if home == "builtins" else f"{home}."
    raise RVHTypeError(f"{role} is of type {where}{kind.__qualname__}: {advice}")


def key_names(key: str | Sequence[str]) -> list[str]:
    """The columns of the key; one column or several."""
    if isinstance(key, str):
        return [key]
    if not isinstance(key, (list, tuple)):
        raise RVHTypeError(
            f"key is {show(key)}: pass the name of the column of keys, or a list of several"
        )
    if not key:
        raise RVHError("key is an empty list: name at least one column")
    try:
        several = len(set(key)) < len(key)
    except TypeError:
        raise RVHTypeError(f"key is {show(key)}: pass a list of the columns' names") from None
    if several:
        raise RVHError(f"key is {show(key)}: name each column once")
    return list(key)


def rank_names(column: str, k: int) -> list[str]:
    """The names of k columns, best node first: never integers."""
    return [f"{column}_{rank}" for rank in range(1, k + 1)]


def check_names(
    there: Collection[Any],
    keys: Sequence[Any],
    geohash: Any,
    column: Any,
    k: int,
    as_columns: bool,
) -> list[str]:
    """Refuse a column that is needed and not there, and a new one that is; return the new ones."""
    for name in keys if geohash is None else [*keys, geohash]:
        if name not in there:
            raise RVHError(
                f"there is no column {show(name)} to take {'keys' if name in keys else 'places'} "
                f"from: choose one of {show(list(there), 300)}"
            )
    if not isinstance(column, str):
        raise RVHTypeError(f"column is {show(column)}: pass a str, the name of the new column")
    new = rank_names(column, k) if as_columns else [column]
    for name in new:
        if name in there:
            raise RVHError(
                f"there is a column {show(name)} already: give the new one another name, column=..."
            )
    return new
