"""One key's nodes: the method of NodeSet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rvh.typing import Key


class Selector:
    """What answers for one key.

    Parameters
    ----------
    ranking : Ranking
    """

    __slots__ = ("_ranking",)

    _ranking: Any

    def __init__(self, ranking: Any) -> None:
        self._ranking = ranking

    def select(self, key: Key, k: int = 1) -> list[Any]:
        """Select the best `k` nodes of one key.

        Parameters
        ----------
        key : str, bytes-like or int
        k : int
            The number of nodes, from 1 to the number of nodes with a weight above 0.

        Returns
        -------
        list
            ``k`` node ids, best first.

        Raises
        ------
        RVHError
            ``k`` out of range, or a key without bytes (which is also a TypeError).

        Examples
        --------
        >>> import rvh
        >>> rvh.NodeSet(["node1", "node2", "node3"]).select("obj", k=2)
        ['node1', 'node2']
        """
        ranking = self._ranking
        answer: list[Any] = ranking.nodes.select_one(key, ranking.check_k(k), ranking.names())
        return answer
