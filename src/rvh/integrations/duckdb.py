"""DuckDB: `register` makes a function for SQL of whatever places keys.

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
by default DuckDB hands it out as a BLOB of its own making). Several arguments, or a STRUCT, are a
composite key: ``node(carrier, flight)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rvh.integrations._common import missing
from rvh.integrations._placer import Placer

try:
    import duckdb
except ImportError as error:
    raise missing("duckdb") from error

from rvh.integrations._arrow import answer_of_arguments, id_array, node_codes, nodes_of

if TYPE_CHECKING:
    from typing import Unpack

    from rvh.integrations._placer import Nodes, Options

__all__ = ["register"]


def register(
    con: duckdb.DuckDBPyConnection,
    name: str,
    nodes: Nodes,
    k: int = 1,
    **options: Unpack[Options],
) -> None:
    """Make ``name(key)`` a function of the connection: the best `k` nodes of the key.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    name : str
        What SQL calls it. A name that is taken is DuckDB's error: for other nodes,
        ``con.remove_function(name)`` first.
    nodes : node ids, NodeSet, or any other placement
        Ids are prepared here, once for all queries. Of a GeoSet the function takes the place of
        the key as its last argument: ``near(key, geohash)``.
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    **options
        ``weights``, ``scheme`` and ``secret`` beside ids, as for `rvh.NodeSet`; ``spread``,
        ``max_per_domain`` and ``strict`` beside a FaultSet, as for its ``select_batch``.

    Returns
    -------
    None
        The function returns VARCHAR, for k > 1 VARCHAR[] with the best node first; BLOB instead
        of VARCHAR where a node id is bytes. NULL where an argument or a field of a STRUCT is NULL.

    Raises
    ------
    RVHError, RVHTypeError
        As the placement, for ``k``, and for an option that it does not have. A key of a type that
        has no bytes is DuckDB's InvalidInputException when the query runs; its message holds that
        of `rvh.select_arrow`.

    Examples
    --------
    >>> import duckdb
    >>> from rvh.integrations.duckdb import register
    >>> con = duckdb.connect()
    >>> register(con, "two_nodes", ["alpha", "beta", "gamma"], k=2)
    >>> con.sql("SELECT two_nodes('42'), two_nodes(42)").fetchall()
    [(['gamma', 'alpha'], ['gamma', 'beta'])]
    """
    placer = Placer(nodes, k, options)
    ids = id_array(placer)
    text = "VARCHAR" if isinstance(ids[0].as_py(), str) else "BLOB"
    # A list of dictionary would be read wrongly: DuckDB 2.0 takes the codes for the values.
    written = node_codes if placer.k == 1 else nodes_of

    def function(*arguments: Any) -> Any:
        return written(answer_of_arguments(placer, arguments), ids)

    # No parameter types: with one, DuckDB would cast 42 to '42' or refuse it, by its own rules.
    # A list and not VARCHAR[k]: up to 1.5, DuckDB loses rows of such behind a NULL key.
    con.create_function(  # type: ignore[call-overload]  # its stub does not know "arrow"
        name,
        function,
        None,
        text if placer.k == 1 else f"{text}[]",
        type="arrow",
        null_handling="special",  # a STRUCT that is not NULL can have a field that is
    )
