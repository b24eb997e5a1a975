"""rvh inside the engines that hold the keys: a column in, a column of nodes out.

Each module is optional, imports its engine itself, and says how to install one that is missing.

==============  ====================  ============================================================
module          extra                 gives
==============  ====================  ============================================================
``polars``      ``rvh[polars]``       ``with_node(frame, "k", nodes)``, ``select``, a namespace
``pandas``      ``rvh[pandas]``       the same; an accessor
``duckdb``      ``rvh[duckdb]``       ``register(con, "node", nodes)``, a function for SQL
``datafusion``  ``rvh[datafusion]``   ``register`` for a DataFusion context, ``with_node``
``pymemcache``  ``rvh[pymemcache]``   ``HashClient(servers, hasher=RendezvousHasher)``
``dask``        ``rvh[dask]``         ``with_node``, on every worker; ``partition_by_node``
``spark``       ``rvh[spark]``        the same; ``node`` as a Column, ``register`` for SQL
``ray``         ``rvh[ray]``          ``with_node`` for a Ray Dataset
==============  ====================  ============================================================

``nodes`` is whatever places keys: node ids, a NodeSet, or any other placement. In all of them a
null key has a null answer, and the other answers are those of the placement's own call for the
same keys.
"""
