"""rvh inside the engines that hold the keys: a column in, a column of nodes out.

Each module is optional, imports its engine itself, and says how to install one that is missing.

==============  ====================  ====================================================
module          extra                 gives
==============  ====================  ====================================================
``polars``      ``rvh[polars]``       ``pl.col("k").rvh.select(nodes)``, lazy and streaming
``pandas``      ``rvh[pandas]``       ``series.rvh.select(nodes)``
``duckdb``      ``rvh[duckdb]``       ``register(con, "node", nodes)``, a function for SQL
``datafusion``  ``rvh[datafusion]``   the same for a DataFusion context
``pymemcache``  ``rvh[pymemcache]``   ``HashClient(servers, hasher=RendezvousHasher)``
``dask``        ``rvh[dask]``         ``with_node(df, "k", nodes)``, on every worker
``spark``       ``rvh[spark]``        the same for a Spark DataFrame
``ray``         ``rvh[ray]``          the same for a Ray Dataset
==============  ====================  ====================================================

In all of them a null key has a null answer, and the other answers are those of
`rvh.select_batch` for the same keys.
"""
