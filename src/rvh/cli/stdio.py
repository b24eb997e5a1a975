"""stdin, stdout and stderr as they may come: closed, or set not to block."""

from __future__ import annotations

import io
import os
import sys

from rvh._tables.waiting import blocks, opened

__all__ = ["settle"]


def settle() -> None:
    """Let no other file have the numbers 0 to 2, and wait for streams that do not block.

    Where one of them was closed, the next file that is opened has its number: what a library says
    on stderr would then be among the rows.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Opened the wrong way round: to use what is closed stays an error.
            os.open(os.devnull, os.O_RDONLY if number else os.O_WRONLY)
    for name, mode in (("stdin", "rb"), ("stdout", "wb"), ("stderr", "wb")):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not blocks(number := stream.fileno()):
            encoding, errors = stream.encoding, stream.errors
            stream.detach()  # which would close the descriptor at its end
            text = io.TextIOWrapper(
                opened(number, mode), encoding, errors, line_buffering=name == "stderr"
            )
            setattr(sys, name, text)
