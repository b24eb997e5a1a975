"""Instruction sets: the twin has none."""

from __future__ import annotations


def isa_available() -> tuple[str, ...]:
    """Instruction sets that can be chosen: none here."""
    return ()


def isa_active() -> str:
    """The instruction set in use: pure Python has none of its own."""
    return "python"
