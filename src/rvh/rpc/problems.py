"""What goes wrong between a client and a server, as one error."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from google.protobuf.message import DecodeError

from rvh.errors import RVHError
from rvh.rpc.messages import message

__all__ = [
    "TOO_LARGE",
    "ServiceError",
    "as_error",
    "closed",
    "malformed",
    "overdue",
    "parse",
]

#: what to do about a status, where the server does not say so
ADVICE = {
    "UNAVAILABLE": "see that it runs, that the address is right, and whether it wants TLS or a "
    "client certificate",
    "DEADLINE_EXCEEDED": "give a longer timeout=, or ask for fewer keys at a time",
    "UNAUTHENTICATED": "give the client a token= that the server knows",
    "UNIMPLEMENTED": "what answers there is no rvh serve, or an older one",
}
#: what grpc says, with RESOURCE_EXHAUSTED, of a message above a limit
TOO_LARGE = "larger than max"
#: what a server says of one with too many keys
TOO_MANY = "in one message"


class ServiceError(RVHError):
    """A call of a service that was not answered.

    Parameters
    ----------
    code : str
        gRPC's status, as ``"UNAVAILABLE"``.
    text : str
        What is wrong, and what to do.
    field : str
        The field of the request that is wrong; empty where it is none.
    """

    def __init__(self, code: str, text: str, field: str = "") -> None:
        super().__init__(text)
        self.code, self.field = code, field

    def __reduce__(self) -> tuple[Any, ...]:
        return ServiceError, (self.code, str(self), self.field)


def as_error(error: Any, target: str) -> ServiceError:
    """Make the error of a call that grpc has ended with one of its own."""
    code: str = error.code().name
    text = error.details() or "no details"
    # What a server of rvh says itself, has its own advice.
    advice = None if _details_of(error) else ADVICE.get(code)
    if TOO_LARGE in text or TOO_MANY in text:
        advice = "send fewer keys in a message (chunk=), or raise the limit of the server"
    return ServiceError(
        code, f"{target}: {code}: {text}" + (f"; {advice}" if advice else ""), _field_of(error)
    )


def overdue(target: str = "the service") -> ServiceError:
    """Make the error of a call whose time was over before it could be made."""
    code = "DEADLINE_EXCEEDED"
    return ServiceError(code, f"{target}: {code}: no answer in time; {ADVICE[code]}")


def closed(client: object) -> ServiceError:
    """Make the error of a client that is asked after its end."""
    return ServiceError("CANCELLED", f"{client!r} is closed: make another")


def _details_of(error: Any) -> bytes:
    """What a server of rvh sends with each status; empty where the status is grpc's."""
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    return details if isinstance(details, bytes) else b""


def _field_of(error: Any) -> str:
    bad = message("google.rpc.BadRequest")()
    with suppress(DecodeError):
        for detail in message("google.rpc.Status").FromString(_details_of(error)).details:
            if detail.Unpack(bad) and bad.field_violations:
                return str(bad.field_violations[0].field)
    return ""


def parse(kind: str, content: bytes) -> Any:
    """Parse a response that is a message of `rvh.v1`.

    Raises
    ------
    ServiceError
        It is none.
    """
    try:
        return message(f"rvh.v1.{kind}").FromString(content)
    except DecodeError:
        raise malformed(f"the bytes are not a {kind}") from None


def malformed(what: str) -> ServiceError:
    """Make the error of a response that no rvh serve sends."""
    return ServiceError("INTERNAL", f"the response is malformed: {what}; is it rvh serve?")
