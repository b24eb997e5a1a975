"""Tokens that somebody else computed, as the points that a ring looks up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend.contract import HASHES
from rvh._columns.values import is_whole, objects_of, of_view
from rvh._runtime.slices import slices
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["points_of_tokens"]


def points_of_tokens(tokens: Any, hash_name: str) -> NDArray[np.uint64]:
    """Return tokens as unsigned numbers in the same order, from 0 for the lowest; a new array.

    Raises
    ------
    RVHTypeError
        Something that is not a column of whole numbers.
    RVHError
        A token that is out of the range of the hash, or masked.

    Examples
    --------
    >>> points_of_tokens([-(2**63), 0], "murmur3").tolist() == [0, 2**63]
    True
    >>> points_of_tokens([7, -1], "crc32")
    Traceback (most recent call last):
    rvh.errors.RVHError: the token at position 1 is -1: those of crc32 are from 0 to 4294967295
    """
    array = _column(tokens)
    if not isinstance(array, np.ndarray):
        return _one_by_one(array, hash_name)
    lowest, highest = HASHES[hash_name]
    points = np.empty(len(array), dtype=np.uint64)
    for part in slices(len(array)):
        outside = (array[part] < lowest) | (array[part] > highest)
        if outside.any():
            at = part.start + int(np.argmax(outside))
            raise _outside(array[at], at, hash_name)
        points[part] = array[part].astype(np.uint64)  # modulo 2^64
    return points - np.uint64(lowest % 2**64)


def _column(tokens: Any) -> NDArray[Any] | Sequence[Any]:
    """Return an array of integers, or the elements of anything else, shape (M,)."""
    tokens = of_view(tokens, "tokens")
    if isinstance(tokens, Sequence) and not isinstance(tokens, (str, bytes, bytearray)):
        return tokens
    if not hasattr(tokens, "__array__"):
        raise RVHTypeError(
            f"tokens is {show(tokens)} of type {type(tokens).__name__}: pass a list or an array "
            "of whole numbers"
        )
    if np.ma.is_masked(tokens):
        at = int(np.argmax(np.ma.getmaskarray(tokens).ravel()))
        raise RVHError(f"the token at position {at} is masked: fill it first")
    array = np.asarray(tokens)
    if array.ndim != 1:
        raise RVHError(f"tokens has shape {array.shape}: pass one dimension, shape (M,)")
    if array.dtype == object:
        return objects_of(array, "the token")
    if array.dtype.kind not in "iu":
        raise RVHTypeError(f"tokens is an array of {array.dtype}: pass whole numbers")
    return array


def _one_by_one(tokens: Sequence[Any], hash_name: str) -> NDArray[np.uint64]:
    lowest, highest = HASHES[hash_name]
    points = np.empty(len(tokens), dtype=np.uint64)
    for at, token in enumerate(tokens):
        if not is_whole(token):
            raise RVHTypeError(
                f"the token at position {at} is {show(token)} of type {type(token).__name__}: pass "
                "whole numbers"
            )
        if not lowest <= token <= highest:
            raise _outside(token, at, hash_name)
        points[at] = int(token) - lowest
    return points


def _outside(token: Any, at: int, hash_name: str) -> RVHError:
    lowest, highest = HASHES[hash_name]
    return RVHError(
        f"the token at position {at} is {show(int(token))}: those of {hash_name} are from {lowest} "
        f"to {highest}"
    )
