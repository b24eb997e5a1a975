"""The function that a Python worker of Spark runs, with the rvh that is installed there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from rvh.errors import RVHError
from rvh.integrations._arrow import answer_of_arguments, id_array, lists, nodes_of, null_mask
from rvh.integrations._placer import loads


def run(sent: bytes, what: str, refuse_nulls: bool, arguments: Sequence[Any]) -> Any:
    """Place the keys of a batch.

    Parameters
    ----------
    sent : bytes
        A pickled Placer.
    what : {"nodes", "places"}
        The answer: ids, or their positions.
    refuse_nulls : bool
        Whether a row without a node is an error.
    arguments : sequence of pyarrow.Array
        The columns of the key, and for a GeoSet the places.
    """
    placer = loads(sent)
    answer = answer_of_arguments(placer, arguments)
    nulls = null_mask(answer)
    if refuse_nulls and nulls is not None:
        raise RVHError(
            f"the key in row {int(np.argmax(nulls))} of a batch is null, so it has no node: fill "
            'it, or pass null_keys="drop" or "keep"'
        )
    if what == "nodes":
        return nodes_of(answer, id_array(placer))
    if placer.k == 1:
        return pa.array(answer.indices[:, 0], mask=nulls)
    return lists(pa.array(answer.indices.ravel()), placer.k, nulls)
