"""For tests and measurements: the ranking of given scores, and the weighted ranking's logarithm."""

from __future__ import annotations

import numpy as np

from rvh._backend.pure import schemes
from rvh._backend.pure.selection import PreparedNodes


def rank_scores(scores: np.ndarray, nodes: PreparedNodes, out: np.ndarray) -> None:
    """The ranking of given scores.

    Parameters
    ----------
    scores : ndarray of uint64, shape (M, N, words)
        Scores before weighting: two words for blake2b, one for murmur.
    nodes : PreparedNodes
        For the weights and the tie rule.
    out : ndarray of intp, shape (M, k)
        Filled with positions of nodes, best first.
    """
    for row, words in enumerate(scores.tolist()):
        whole = [sum(word << 64 * n for n, word in enumerate(reversed(pair))) for pair in words]
        out[row] = nodes._rank(whole, out.shape[1])


def neg_log(m: np.ndarray, out: np.ndarray) -> None:
    """The weighted ranking's logarithm alone, for tests: -ln(m * 2^-53) into ``out``.

    Parameters
    ----------
    m : ndarray of uint64, shape (n,)
        0 < m < 2^53.
    out : ndarray of float64, shape (n,)
    """
    out[:] = [schemes.neg_log(number) for number in m.tolist()]
