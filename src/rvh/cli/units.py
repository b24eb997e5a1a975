"""Bytes and bandwidths, as options take them."""

from __future__ import annotations

import re

from rvh.errors import RVHError, show

QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)")
#: the bytes of each unit
BYTES = {"B": 1} | {
    f"{prefix}{binary}B": (1024 if binary else 1000) ** power
    for power, prefix in enumerate("kMGTP", 1)
    for binary in ("", "i")
}
#: units that some write otherwise
BYTES |= {"KB": 1000, "KiB": 1024}
BITS = {f"{prefix}bit": 1000**power / 8 for power, prefix in enumerate(["", *"kMGT"])}


def read_bytes(text: str, option: str) -> int:
    """The bytes that ``2048``, ``2kB`` or ``2KiB`` are.

    Examples
    --------
    >>> read_bytes("2048", "--size"), read_bytes("1.5kB", "--size"), read_bytes("2KiB", "--size")
    (2048, 1500, 2048)
    """
    match = QUANTITY.fullmatch(text)
    factor = None if match is None else BYTES.get(match[2] or "B")
    if match is None or factor is None:
        raise RVHError(
            f"{option} {show(text)} is not a number of bytes: write for example 2048, 2kB or 2KiB"
        )
    size = float(match[1]) * factor if "." in match[1] else int(match[1]) * factor
    if size != int(size) or size >= 1 << 63:
        raise RVHError(f"{option} {show(text)} is not a whole number of bytes below 2^63")
    return int(size)


def read_bandwidth(text: str, option: str) -> float:
    """The bytes a second that ``1Gbit/s`` or ``100MB/s`` are.

    Examples
    --------
    >>> read_bandwidth("1Gbit/s", "--bandwidth"), read_bandwidth("100MB/s", "--bandwidth")
    (125000000.0, 100000000.0)
    """
    match = QUANTITY.fullmatch(text.removesuffix("/s"))
    factor = None
    if match is not None and text.endswith("/s"):
        factor = BITS.get(match[2]) or BYTES.get(match[2])
    if match is None or factor is None:
        raise RVHError(
            f"{option} {show(text)} is not a bandwidth: write a number and bit/s, kbit/s, Mbit/s, "
            "Gbit/s or Tbit/s, or B/s, kB/s, MB/s, MiB/s, GB/s and so on, such as 1Gbit/s or "
            "100MB/s"
        )
    bandwidth: float = float(match[1]) * factor
    if not 0 < bandwidth < 1e30:
        raise RVHError(f"{option} {show(text)}: a bandwidth is above 0")
    return bandwidth
