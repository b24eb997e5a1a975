"""Typed columns whose hash an engine or a database chains, and the values in a key of theirs.

The key of one column is its value: 8 bytes of an integer, or bytes. The key of several columns is
rvh's composite key of their values (`docs/reference/contract.md`, "Bytes").
"""

from __future__ import annotations

from typing import NamedTuple

from rvh._columns.values import place
from rvh.errors import RVHError, show

__all__ = ["BITS", "Chain", "read_values"]

#: the bits of an integer of each kind of part
BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}


class Chain(NamedTuple):
    """The hash of a system, over columns of given kinds.

    Parameters
    ----------
    system : str
        One of `contract.SYSTEMS`.
    parts : tuple of str
        Of `contract.PARTS`: one for each column. A null has no bytes in a key.
    spread : int
        The shards that the documents of one routing are spread over (Elasticsearch).
    """

    system: str
    parts: tuple[str, ...]
    spread: int = 1


def read_values(chain: Chain, key: bytes, position: int | None = None) -> list[int | bytes | None]:
    """Return the values in a key, or raise the error about one that does not have these parts.

    Examples
    --------
    >>> from rvh.keys import composite
    >>> read_values(Chain("spark", ("int32", "bytes")), composite(7, "ab"))
    [7, b'ab']
    """
    where = place("key", position)
    if len(chain.parts) == 1:
        return [_checked(chain.parts[0], key, where)]
    values: list[int | bytes | None] = []
    rest = key
    for number, part in enumerate(chain.parts):
        if part == "null":
            values.append(None)
            continue
        size = 8
        if part not in BITS:
            size = int.from_bytes(rest[:4], "little")
            if len(rest) < 4:
                raise _not_composite(chain, where)
            rest = rest[4:]
        if len(rest) < size:
            raise _not_composite(chain, where)
        values.append(_checked(part, rest[:size], f"part {number} of {where}"))
        rest = rest[size:]
    if rest:
        raise _not_composite(chain, where)
    return values


def _checked(part: str, value: bytes, where: str) -> int | bytes | None:
    if part == "null":
        return None
    if part == "text":
        try:
            value.decode()
        except UnicodeDecodeError:
            raise RVHError(
                f"{where} is not UTF-8 ({show(value)}), so it is not text: pass str"
            ) from None
    if part not in BITS:
        return value
    if len(value) != 8:
        raise RVHError(f"{where} is {show(value)}, and its column has integers: pass an integer")
    bits, number = BITS[part], int.from_bytes(value, "little", signed=True)
    if not -1 << bits - 1 <= number < 1 << bits - 1:
        raise RVHError(
            f"{where} is {number}, outside -2^{bits - 1} to 2^{bits - 1}-1, the range of its column"
        )
    return number


def _not_composite(chain: Chain, where: str) -> RVHError:
    kinds = ", ".join("an integer" if part in BITS else "bytes or text" for part in chain.parts)
    return RVHError(
        f"{where} is not a composite key of {kinds}: pass rvh.multi.compose_keys(...) of the "
        "columns, in the order of the types"
    )
