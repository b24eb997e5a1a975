"""The decoders of requests: what they read, and what they refuse, in the backend in use; and that
both backends read and refuse the same."""

from __future__ import annotations

import struct
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvh import _backend
from rvh._backend import pure as _pure
from rvh.errors import MessageError

pytest.importorskip("google.protobuf", reason="protobuf is not installed")

LIMIT = 1000
CALLS = ("decode_batch", "decode_flat_batch", "decode_key")


def class_of(name: str) -> Any:
    from rvh.rpc.messages import message

    return message(name)


def batch_message(**fields: Any) -> bytes:
    data: bytes = class_of("rvh.v1.SelectBatchRequest")(**fields).SerializeToString()
    return data


def key_message(**fields: Any) -> bytes:
    data: bytes = class_of("rvh.v1.SelectRequest")(**fields).SerializeToString()
    return data


def flat_message(
    data: bytes | None = None,
    ends: list[int] | None = None,
    integers: list[int] | None = None,
    k: int | None = None,
    with_ids: bool = False,
    known_fingerprint: str | None = None,
    pinned: bool = False,
    slots: int = 7,
) -> bytes:
    """A message of batch.fbs, by the builder of FlatBuffers; `slots` is how many fields it has."""
    flatbuffers = pytest.importorskip("flatbuffers", reason="flatbuffers is not installed")
    builder = flatbuffers.Builder(64)
    known = None if known_fingerprint is None else builder.CreateString(known_fingerprint)
    vectors = [
        None if values is None else builder.CreateNumpyVector(np.array(values, dtype))
        for values, dtype in (
            (None if data is None else [*data], "u1"),
            (ends, "<u4"),
            (integers, "<i8"),
        )
    ]
    builder.StartObject(slots)
    for slot, vector in (*enumerate(vectors), (5, known)):
        if vector is not None:
            builder.PrependUOffsetTRelativeSlot(slot, vector, 0)
    if k is not None:
        builder.PrependUint32Slot(3, k, 1)
    builder.PrependBoolSlot(4, with_ids, False)
    builder.PrependBoolSlot(6, pinned, False)
    if slots > 7:
        builder.PrependUint32Slot(slots - 1, 5, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def sized(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def keys_of(batch: Any) -> list[bytes]:
    return list(batch.keys.iter_bytes())


def integer_bytes(*numbers: int) -> list[bytes]:
    return [struct.pack("<q", number) for number in numbers]


def outcome(module: ModuleType, call: str, message: bytes) -> Any:
    """What a decoder gives, in values that compare; or its error."""
    try:
        decoded = getattr(module, call)(*(message,) if call == "decode_key" else (message, LIMIT))
    except MessageError as error:
        return error.field, error.text
    if call == "decode_key":
        return decoded
    return decoded.keys.kind, decoded.keys.what, keys_of(decoded), decoded[1:]


# ---- what they read ----------------------------------------------------------------------------

KEYS = st.lists(st.binary(max_size=40), min_size=1, max_size=30)
TEXTS = st.lists(st.text(max_size=30), min_size=1, max_size=30)
INTEGERS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30)
K = st.none() | st.integers(0, 2**32 - 1)
KNOWN = st.none() | st.text(max_size=20)


def packed(keys: list[bytes]) -> dict[str, Any]:
    ends = np.cumsum([len(key) for key in keys])
    return {"data": b"".join(keys), "ends": ends.tolist()}


FORMS = st.one_of(
    KEYS.map(lambda keys: ({"keys": keys}, keys)),
    TEXTS.map(lambda texts: ({"texts": texts}, [text.encode() for text in texts])),
    INTEGERS.map(lambda numbers: ({"integers": numbers}, integer_bytes(*numbers))),
    KEYS.map(lambda keys: (packed(keys), keys)),
)


@given(FORMS, K, st.booleans(), KNOWN, st.booleans())
def test_a_batch(form: Any, k: int | None, ids: bool, known: str | None, pinned: bool) -> None:
    fields, keys = form
    message = batch_message(**fields, k=k, with_ids=ids, known_fingerprint=known, pinned=pinned)
    batch = _backend.decode_batch(message, LIMIT)
    assert keys_of(batch) == keys
    assert batch[1:] == (k, ids, known, pinned)


@given(FORMS, K, st.booleans(), KNOWN, st.booleans())
def test_a_flat_batch(form: Any, k: int | None, ids: bool, known: str | None, pinned: bool) -> None:
    fields, keys = form
    if "integers" not in fields:
        fields = packed(keys)
    batch = _backend.decode_flat_batch(flat_message(**fields, k=k, with_ids=ids,
        known_fingerprint=known, pinned=pinned), LIMIT)  # fmt: skip
    assert keys_of(batch) == keys
    assert batch[1:] == (None if k == 1 else k, ids, known, pinned)  # 1 is never written


@given(
    st.one_of(
        st.binary(max_size=40).map(lambda key: ({"key": key}, key)),
        st.text(max_size=20).map(lambda text: ({"text": text}, text.encode())),
        st.integers(-(2**63), 2**63 - 1).map(lambda number: ({"integer": number}, number)),
    ),
    K,
    st.booleans(),
    KNOWN,
)
def test_a_key(form: Any, k: int | None, ids: bool, known: str | None) -> None:
    fields, key = form
    message = key_message(**fields, k=k, with_ids=ids, known_fingerprint=known)
    assert _backend.decode_key(message) == (key, k, ids, known)
    batch = _backend.decode_batch(message, 1)
    assert keys_of(batch) == (integer_bytes(key) if isinstance(key, int) else [key])
    assert batch[1:] == (k, ids, known, False)


def test_a_column_keeps_its_message_and_is_answered_like_other_keys() -> None:
    import rvh

    nodes = rvh.NodeSet(["a", "b", "c"])
    texts = [f"user:{n}" * (1 + n % 3) for n in range(500)]
    numbers = list(range(-250, 250))
    both = [
        (texts, batch_message(texts=texts)),
        (texts, batch_message(**packed([text.encode() for text in texts]))),
        (numbers, batch_message(integers=numbers)),
        (numbers, b"\x30\x01" + batch_message(integers=numbers)),
    ]
    columns = [(keys, _backend.decode_batch(message, LIMIT).keys) for keys, message in both]
    del both
    for keys, column in columns:
        assert nodes.select_batch(column, k=2).tolist() == nodes.select_batch(keys, k=2).tolist()


def test_fields_in_any_order_and_in_pieces() -> None:
    one, two, three = integer_bytes(1, 2, -3)
    message = (
        sized(3, one + two) + b"\x38\x01" + sized(3, b"") + b"\x19" + three + b"\x30\x07"
        + sized(3, one)
    )  # fmt: skip
    batch = _backend.decode_batch(message, LIMIT)
    assert keys_of(batch) == integer_bytes(1, 2, -3, 1)
    assert batch[1:] == (7, True, None, False)
    ends = b"\x2d" + struct.pack("<I", 1) + sized(5, struct.pack("<II", 1, 3))
    assert keys_of(_backend.decode_batch(ends + sized(4, b"abc"), LIMIT)) == [b"a", b"", b"bc"]
    between = sized(2, b"a") + b"\x30\x02" + sized(2, b"b" * 200) + b"\x48\x01" + sized(2, b"")
    assert keys_of(_backend.decode_batch(between, LIMIT)) == [b"a", b"b" * 200, b""]


def test_numbers_that_are_longer_than_they_need() -> None:
    message = b"\x8a\x80\x00" + b"\x81\x80\x80\x80\x00" + b"x" + b"\xb8\x00" + b"\x80" * 9 + b"\x01"
    batch = _backend.decode_batch(message, LIMIT)
    assert keys_of(batch) == [b"x"]
    assert batch.with_ids  # 2^63 is true


def test_keys_in_a_row_whose_tags_or_sizes_are_long() -> None:
    assert keys_of(_backend.decode_batch(b"\x8a\x00\x01x" * 3, LIMIT)) == [b"x"] * 3
    assert keys_of(_backend.decode_batch(b"\x0a\x81\x00x" * 3, LIMIT)) == [b"x"] * 3


def test_one_unpacked_integer() -> None:
    batch = _backend.decode_batch(b"\x19" + integer_bytes(-9)[0], LIMIT)
    assert keys_of(batch) == integer_bytes(-9)


def test_keys_of_no_bytes() -> None:
    assert keys_of(_backend.decode_batch(batch_message(ends=[0, 0]), LIMIT)) == [b"", b""]
    assert keys_of(_backend.decode_batch(batch_message(keys=[b""]), LIMIT)) == [b""]
    assert _backend.decode_key(b"\x0a\x00").key == b""


# ---- what they refuse --------------------------------------------------------------------------

CHOICES = "fill one of keys, texts, integers, or data and ends"
ONE = "fill one of key, text, integer"
X = sized(1, b"x")
MALFORMED = "malformed at byte "
ENDS_IN = "the message ends inside of this field"
NO_FIELD = "no field of protobuf begins there"
REFUSED = {
    "nothing": (b"", "", f"no keys: {CHOICES}"),
    "k alone": (b"\x30\x01", "", f"no keys: {CHOICES}"),
    "data of no bytes": (sized(4, b""), "", f"no keys: {CHOICES}"),
    "two forms": (sized(3, bytes(8)) + X, "", f"both keys and integers are filled: {CHOICES}"),
    "ends too": (X + sized(5, bytes(4)), "", f"both keys and data and ends are filled: {CHOICES}"),
    "data too": (X + sized(4, b"x"), "", f"both keys and data and ends are filled: {CHOICES}"),
    "data alone": (
        sized(4, b"xyz"),
        "ends",
        "missing: they say where each key in the 3 bytes of data ends",
    ),
    "too many": (X * 1001, "", "1001 keys: at most 1000 in one message"),
    "too many packed": (sized(3, bytes(8008)), "", "1001 keys: at most 1000 in one message"),
    "descending": (batch_message(data=b"abc", ends=[2, 1, 3]), "ends[1]", "1 after 2: ends ascend"),
    "outside": (
        batch_message(data=b"abc", ends=[1, 4, 5]),
        "ends[1]",
        "4, and data has 3 bytes: ends lie in data",
    ),
    "the end of 2^32 - 1": (
        batch_message(data=b"abc", ends=[2**32 - 1]),
        "ends[0]",
        "4294967295, and data has 3 bytes: ends lie in data",
    ),
    "unused data": (
        batch_message(data=b"abc", ends=[1, 2]),
        "ends[1]",
        "2, and data has 3 bytes: the last end is the size of data",
    ),
    "unknown": (
        X + b"\x60\x01",
        "",
        "field 12 is not known to this version of rvh and may change the answer: leave it out, or "
        "update rvh where the message is read",
    ),
    "k twice": (X + b"\x30\x01\x30\x01", "k", "given twice: which one is meant?"),
    "data twice": (sized(4, b"") * 2, "data", "given twice: which one is meant?"),
    "known twice": (sized(8, b"") * 2, "known_fingerprint", "given twice: which one is meant?"),
    "k of 33 bits": (
        X + b"\x30" + varint(2**32),
        "k",
        "4294967296 is more than 4294967295",
    ),
    "overlong UTF-8": (
        sized(2, b"a") + sized(2, b"12345678\xc0\x80"),
        "texts[1]",
        "not UTF-8 from byte 8 on: send other bytes as a key",
    ),
    "surrogate": (
        sized(2, "ab€".encode() + b"\xed\xa0\x80"),
        "texts[0]",
        "not UTF-8 from byte 5 on: send other bytes as a key",
    ),
    "known": (
        X + sized(8, b"\xff"),
        "known_fingerprint",
        "not UTF-8 from byte 0 on: send other bytes as a key",
    ),
    "wire type": (X + b"\x08\x01", "", MALFORMED + "3: keys has wire type 0"),
    "half an integer": (
        X + sized(3, bytes(12)),
        "",
        MALFORMED + "3: integers has 12 bytes, which is not a whole number of elements",
    ),
    "half an end": (
        sized(5, bytes(2)),
        "",
        MALFORMED + "0: ends has 2 bytes, which is not a whole number of elements",
    ),
    "cut": (X + b"\x0a\x02x", "", f"{MALFORMED}3: {ENDS_IN}"),
    "cut in the size": (X + b"\x0a\x82", "", f"{MALFORMED}3: {ENDS_IN}"),
    "cut in an integer": (X + b"\x19" + bytes(7), "", f"{MALFORMED}3: {ENDS_IN}"),
    "a size of 2^64 - 1": (X + b"\x0a" + varint(2**64 - 1), "", f"{MALFORMED}3: {ENDS_IN}"),
    "a number of 65 bits": (
        X + b"\x38" + b"\xff" * 9 + b"\x02",
        "",
        MALFORMED + "3: a number of more than 64 bits",
    ),
    "a number of 11 bytes": (
        X + b"\x38" + b"\x80" * 10 + b"\x00",
        "",
        MALFORMED + "3: a number of more than 64 bits",
    ),
    "field 0": (X + b"\x02\x00", "", f"{MALFORMED}3: {NO_FIELD}"),
    "a group": (X + b"\x0b\x0c", "", f"{MALFORMED}3: {NO_FIELD}"),
    "wire type 7": (X + b"\x0f", "", f"{MALFORMED}3: {NO_FIELD}"),
    "a tag of 33 bits": (X + varint(1 << 32 | 10) + b"\x00", "", f"{MALFORMED}3: {NO_FIELD}"),
    "a tag of 6 bytes": (X + b"\x8a\x80\x80\x80\x80\x00\x00", "", f"{MALFORMED}3: {NO_FIELD}"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_batch_must_not_be(name: str) -> None:
    message, field, text = REFUSED[name]
    assert outcome(_backend, "decode_batch", message) == (field, text)


def test_as_many_as_there_may_be() -> None:
    assert len(_backend.decode_batch(X * 1001, 1001).keys) == 1001


@pytest.mark.parametrize("call", CALLS)
def test_a_message_whose_offsets_have_32_bits(call: str) -> None:
    large = bytes(2**31)  # of which no byte is read, so it takes no memory
    text = "2147483648 bytes: a message has fewer than 2^31"
    assert outcome(_backend, call, large) == ("", text)


REFUSED_KEYS = {
    "nothing": (b"", "", f"no key: {ONE}"),
    "two": (X + sized(2, b"x"), "", f"both key and text are filled: {ONE}"),
    "twice": (X + X, "key", "given twice: which one is meant?"),
    "packed": (sized(3, bytes(8)), "", MALFORMED + "0: integer has wire type 2"),
    "text": (sized(2, b"\xf4\x90\x80\x80"), "text", REFUSED["known"][2]),
    "ends": (sized(5, b""), "", REFUSED["unknown"][2].replace("12", "5")),
    "pinned": (b"\x48\x01", "", REFUSED["unknown"][2].replace("12", "9")),
}


@pytest.mark.parametrize("name", REFUSED_KEYS)
def test_what_a_request_of_one_key_must_not_be(name: str) -> None:
    message, field, text = REFUSED_KEYS[name]
    assert outcome(_backend, "decode_key", message) == (field, text)


def test_what_a_flat_batch_must_not_be() -> None:
    def refused(**fields: Any) -> tuple[str, str]:
        found: tuple[str, str] = outcome(_backend, "decode_flat_batch", flat_message(**fields))
        return found

    choices = "fill one of integers, or data and ends"
    assert refused() == ("", f"no keys: {choices}")
    assert refused(data=b"", ends=[]) == ("", f"no keys: {choices}")
    assert refused(data=b"x", ends=[1], integers=[1])[1].endswith(choices)
    assert refused(data=b"x")[0] == "ends"
    assert refused(data=b"x", ends=[2])[0] == "ends[0]"
    assert refused(integers=[0] * 1001)[1] == "1001 keys: at most 1000 in one message"
    unknown = refused(integers=[1], slots=9)[1]
    assert unknown == REFUSED["unknown"][2].replace("12", "8")
    assert refused(integers=[1], slots=9, k=3)[1] == unknown


@pytest.mark.parametrize("at", range(0, 60, 2))
def test_no_offset_of_a_flat_batch_leads_outside(at: int) -> None:
    whole = flat_message(data=b"abc", ends=[1, 3], k=2, known_fingerprint="f")
    for word in (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80"):
        damaged = (whole[:at] + word + whole[at + 4 :])[: len(whole)]
        found = outcome(_backend, "decode_flat_batch", damaged)
        assert found == outcome(_pure, "decode_flat_batch", damaged)
    cut = outcome(_backend, "decode_flat_batch", whole[:at])
    assert cut[1].startswith(MALFORMED)


def test_a_string_of_a_flat_batch_ends_in_nul() -> None:
    whole = flat_message(integers=[1], known_fingerprint="four")
    damaged = whole.replace(b"four\0", b"fours")
    assert outcome(_backend, "decode_flat_batch", damaged)[1].startswith(MALFORMED)
    damaged = whole.replace(b"four", b"\xe2\x82\x28r")
    assert outcome(_backend, "decode_flat_batch", damaged)[0] == "known_fingerprint"


# ---- the same in both backends, and as protobuf reads it ----------------------------------------


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A valid message, then some bytes of it replaced, inserted, left out, cut off."""
    fields, keys = draw(FORMS)
    scalars = {"k": draw(K), "with_ids": draw(st.booleans()), "known_fingerprint": draw(KNOWN)}
    call = draw(st.sampled_from(CALLS))
    if call == "decode_batch":
        message = batch_message(**fields, **scalars)
    elif call == "decode_flat_batch":
        form = fields if "integers" in fields else packed(keys)
        message = flat_message(**form, **scalars)
    else:
        message = key_message(key=keys[0], **scalars)
    data = bytearray(message)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.integers(0, 4))
        data[at : at + gone] = draw(st.binary(max_size=4) | st.sampled_from([message[at : at + 9]]))
    return call, bytes(data)


@given(damaged())
def test_the_twins_read_and_refuse_the_same(native: ModuleType, sample: Any) -> None:
    call, message = sample
    assert outcome(native, call, message) == outcome(_pure, call, message)


@given(st.sampled_from(CALLS), st.binary(max_size=40))
def test_any_bytes(native: ModuleType, call: str, message: bytes) -> None:
    assert outcome(native, call, message) == outcome(_pure, call, message)


@pytest.mark.parametrize("name", {**REFUSED, **REFUSED_KEYS})
@pytest.mark.parametrize("call", CALLS)
def test_the_twins_refuse_the_same(native: ModuleType, name: str, call: str) -> None:
    message = {**REFUSED_KEYS, **REFUSED}[name][0]
    assert outcome(native, call, message) == outcome(_pure, call, message)


@given(st.binary(max_size=12), st.binary(max_size=3), st.binary(max_size=12))
def test_utf8_is_what_python_takes_for_it(front: bytes, middle: bytes, rest: bytes) -> None:
    for lead in (b"", b"\xe0\xa0", b"\xed\x9f", b"\xf0\x90\x80", b"\xf4\x8f\xbf", b"\xc2", b"\xdf"):
        text = front + lead + middle + rest
        found = outcome(_backend, "decode_key", sized(2, text))
        try:
            text.decode()
        except UnicodeDecodeError as error:
            reason = f"not UTF-8 from byte {error.start} on: send other bytes as a key"
            assert found == ("text", reason)
        else:
            assert found[0] == text


@given(damaged())
def test_what_is_read_is_what_protobuf_reads(sample: Any) -> None:
    call, message = sample
    if call == "decode_flat_batch":
        return
    try:
        if call == "decode_key":
            asked = _backend.decode_key(message)
            k, ids, known = asked[1:]
        else:
            batch = _backend.decode_batch(message, LIMIT)
            k, ids, known, pinned = batch[1:]
    except MessageError:
        return
    name = "SelectRequest" if call == "decode_key" else "SelectBatchRequest"
    parsed = class_of(f"rvh.v1.{name}").FromString(message)
    assert (k, known) == tuple(
        getattr(parsed, field) if parsed.HasField(field) else None
        for field in ("k", "known_fingerprint")
    )
    assert ids == parsed.with_ids
    if call == "decode_key":
        form = getattr(parsed, parsed.WhichOneof("form"))
        assert asked.key == (form.encode() if isinstance(form, str) else form)
        return
    assert pinned == parsed.pinned
    starts = [0, *parsed.ends]
    spans = [parsed.data[a:b] for a, b in zip(starts, parsed.ends, strict=False)]
    texts = [text.encode() for text in parsed.texts]
    assert keys_of(batch) == [*parsed.keys, *texts, *integer_bytes(*parsed.integers), *spans]
