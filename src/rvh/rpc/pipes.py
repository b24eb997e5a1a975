"""What `rvh serve` and its workers tell each other: a length of 4 bytes, then the bytes."""

from __future__ import annotations

from typing import IO

import msgspec

from rvh.rpc.answering import Limits

__all__ = ["GRACE", "Settings", "receive", "send"]

#: begins the last message to a worker, before the seconds in which its calls may end. No message
#: of protobuf begins so.
GRACE = b"\0grace "

#: bytes of a message: a million nodes with all their labels
MOST = 1 << 30


class Settings(msgspec.Struct):
    """What a worker is told first. It comes by a pipe, so that no other process sees the secret."""

    host: str
    port: int
    scheme: str
    secret: bytes
    limits: Limits
    threads: int | None
    tls: tuple[str, str, str | None] | None
    tokens: str | None
    access_log: str | None
    drain: float  # seconds for calls that run, where the parent has died

    def __repr__(self) -> str:
        return f"Settings({self.host!r}, {self.port}, {self.scheme!r})"  # without the secret


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
