"""Messages between `rvh serve` and its workers: a length of 4 bytes, then the bytes."""

from __future__ import annotations

from typing import IO

__all__ = ["GRACE", "receive", "send"]

#: begins the last message to a worker, before the seconds in which its calls may end. No message
#: of protobuf begins so.
GRACE = b"\0grace "

#: bytes of a message: a million nodes with all their labels
MOST = 1 << 30


def send(pipe: IO[bytes], content: bytes) -> None:
    """Write a message; BrokenPipeError where nobody reads."""
    pipe.write(len(content).to_bytes(4, "little") + content)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Read a message; None at the end, also in the middle of a message."""
    head = pipe.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "little")
    content = pipe.read(size) if size <= MOST else b""
    return content if len(content) == size else None
