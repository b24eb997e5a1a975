"""DuckDB: `register` makes a function for SQL of a set of nodes.

>>> import duckdb
>>> import rvh
>>> from rvh.integrations.duckdb import register
>>> con = duckdb.connect()
>>> register(con, "node", rvh.NodeSet(["alpha", "beta", "gamma"]))
>>> con.sql("SELECT node(key) FROM (VALUES ('txn-42'), (NULL), ('txn-41')) t(key)").fetchall()
[('gamma',), (None,), ('beta',)]

The function takes a key of any type and sees the type that it has: the integer 42 and the text
'42' are two keys, in SQL as in Python. Keys are VARCHAR (ENUM, UUID and JSON as their text), BLOB,
or integers of up to 64 bits; other types are an error, so cast them as you mean them (BIT always:
by default DuckDB hands it out as a BLOB of its own making).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from numpy.typing import ArrayLike

from rvh.integrations._common import missing, prepare

try:
    import duckdb
except ImportError as error:
    raise missing("duckdb") from error

from rvh.integrations._arrow import id_array, select, select_codes

__all__ = ["register"]


def register(
    con: duckdb.DuckDBPyConnection,
    name: str,
    nodes: Any,
    k: int = 1,
    *,
    weights: ArrayLike | None = None,
    scheme: str | None = None,
    secret: bytes | None = None,
) -> None:
    """Make ``name(key)`` a function of the connection: the best `k` nodes of the key.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    name : str
        What SQL calls it. A name that is taken is DuckDB's error: for other nodes,
        ``con.remove_function(name)`` first.
    nodes : sequence or array of str or bytes, shape (N,), or NodeSet
        Prepared here, once for all queries.
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    weights, scheme, secret
        As for `rvh.NodeSet`; a NodeSet has its own.

    Returns
    -------
    None
        The function returns VARCHAR, for k > 1 VARCHAR[] with the best node first; BLOB instead
        of VARCHAR where a node id is bytes. NULL where the key is NULL.

    Raises
    ------
    RVHError, RVHTypeError
        As `rvh.NodeSet`, and for ``k``. A key of a type that has no bytes is DuckDB's
        InvalidInputException when the query runs; its message holds that of `rvh.select_arrow`.

    Examples
    --------
    >>> import duckdb
    >>> from rvh.integrations.duckdb import register
    >>> con = duckdb.connect()
    >>> register(con, "two_nodes", ["alpha", "beta", "gamma"], k=2)
    >>> con.sql("SELECT two_nodes('42'), two_nodes(42)").fetchall()
    [(['gamma', 'alpha'], ['gamma', 'beta'])]
    """
    node_set, k = prepare(nodes, k, weights, scheme, secret)
    ids = id_array(node_set)
    answer = "VARCHAR" if isinstance(ids[0].as_py(), str) else "BLOB"
    # A list of dictionary would be read wrongly: DuckDB 2.0 takes the codes for the values.
    answers = (
        partial(select_codes, node_set, ids) if k == 1 else partial(select, node_set, ids, k=k)
    )
    # No parameter types: with one, DuckDB would cast 42 to '42' or refuse it, by its own rules.
    # A list and not VARCHAR[k]: up to 1.5, DuckDB loses rows of such behind a NULL key.
    con.create_function(  # type: ignore[call-overload]  # its stub does not know "arrow"
        name,
        lambda keys: answers(keys),
        None,
        answer if k == 1 else f"{answer}[]",
        type="arrow",
    )
