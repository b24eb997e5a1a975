"""What a process does with its nodes, as numbers for Prometheus and OpenTelemetry.

`instrument` counts calls; what is not instrumented runs the code that it always ran. `watch` adds
caches and memberships. `rvh.observe.prometheus` and `rvh.observe.opentelemetry` give the metrics
away, each from the table in `rvh.observe.metrics`.

>>> import rvh
>>> from rvh import observe
>>> observe.instrument()
>>> rvh.NodeSet(["a", "b"]).select("user:1")
['b']
>>> observe.uninstrument()
"""

from rvh.observe.calls import counts, instrument, uninstrument
from rvh.observe.tally import Counts, Histogram
from rvh.observe.watched import unwatch, watch

__all__ = ["Counts", "Histogram", "counts", "instrument", "uninstrument", "unwatch", "watch"]
