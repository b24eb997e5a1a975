"""The instruction sets that the kernels can use on this machine, and the one in use.

``RVH_ISA=portable|avx2|avx512|neon`` forces one, for tests and measurements; every set gives the
same answers. For a name that is unknown or not available here, the first call that computes raises
an error that lists the choices. The pure-Python backend has no instruction sets.
"""

from __future__ import annotations

from rvh._backend import isa_active, isa_available

__all__ = ["active", "available"]


def available() -> tuple[str, ...]:
    """The instruction sets built into this installation that this processor and system support.

    Returns
    -------
    tuple of str
        Slowest first; ``"portable"`` is always there. Empty under the pure-Python backend.

    Examples
    --------
    >>> import rvh.cpu
    >>> set(rvh.cpu.available()) <= {"portable", "avx2", "avx512", "neon"}
    True
    """
    return isa_available()


def active() -> str:
    """The instruction set in use (``"python"`` under the pure-Python backend).

    Raises
    ------
    RVHError
        ``RVH_ISA`` names a set that is unknown or not available here.

    Examples
    --------
    >>> import rvh.cpu
    >>> rvh.cpu.active() in (*rvh.cpu.available(), "python")
    True
    """
    return isa_active()
