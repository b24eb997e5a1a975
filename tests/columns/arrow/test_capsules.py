"""What Arrow exporters hand over is released exactly once: on success, on errors, on Ctrl-C."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from arrow_forged import Array, Exporter, Forge
from interrupting import interrupted_at
from subprocesses import output

import rvh
from rvh._batch import threads as _threads
from rvh.keys import column
from rvh.multi import compose_keys, score_columns, select_columns, select_multi
from rvh.partitions import PartitionTable
from rvh.stable import StableSelector, jump_batch, jumpback_batch

NODES = ["alpha", "beta", "gamma", "δelta"]
SET = rvh.NodeSet(NODES)
#: where the library's own files are: a clone, and what is installed below it, may be named rvh too
MURMUR = rvh.NodeSet(NODES, scheme="murmur", weights=[1, 2, 3, 4])
TABLE = PartitionTable(SET, 16, 2)
SELECTOR = StableSelector(NODES)
TEXTS = [f"schlüssel-{n}" for n in range(50)]


@pytest.fixture(autouse=True)
def _many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "PAIRS_PER_BLOCK", 40)  # several blocks of few keys


@pytest.fixture
def forge() -> Iterator[Forge]:
    made = Forge()
    yield made
    if made.released != made.handed:
        gc.collect()  # a fifth of a second beside all the modules of a whole run
    made.check()


# -- the calls, and what they are called with ---------------------------------------------------

Call = Callable[[Any], object]

#: every call that takes keys
CALLS: dict[str, Call] = {
    "argselect_batch": SET.argselect_batch,
    "argselect_batch, k": lambda keys: SET.argselect_batch(keys, 3),
    "argselect_batch, threads": lambda keys: SET.argselect_batch(keys, threads=2),
    "select_batch": lambda keys: SET.select_batch(keys, 2),
    "select_batch, threads": lambda keys: MURMUR.select_batch(keys, 2, threads=2),
    "score_batch": SET.score_batch,
    "score_batch, threads": lambda keys: MURMUR.score_batch(keys, threads=2),
    "select_arrow": SET.select_arrow,
    "select_arrow, threads": lambda keys: MURMUR.select_arrow(keys, 3, threads=2),
    "rvh.argselect_batch": lambda keys: rvh.argselect_batch(NODES, keys),
    "rvh.select_batch": lambda keys: rvh.select_batch(NODES, keys),
    "rvh.score_batch": lambda keys: rvh.score_batch(NODES, keys),
    "rvh.select_arrow": lambda keys: rvh.select_arrow(NODES, keys),
    "compose_keys": lambda keys: compose_keys(keys, 7),
    "select_multi": lambda keys: select_multi(SET, ["2024", keys]),
    "select_columns": lambda keys: select_columns(SET, {"a": keys}),
    "score_columns": lambda keys: score_columns(SET, {"a": keys}),
    "jump_batch": lambda keys: jump_batch(keys, 10),
    "jumpback_batch": lambda keys: jumpback_batch(keys, 10, threads=2),
    "StableSelector.argselect_batch": lambda keys: SELECTOR.argselect_batch(keys, 2),
    "StableSelector.select_batch": lambda keys: SELECTOR.select_batch(keys, threads=2),
    "PartitionTable.partition_batch": TABLE.partition_batch,
    "PartitionTable.arglookup_batch": TABLE.arglookup_batch,
    "PartitionTable.lookup_batch": lambda keys: TABLE.lookup_batch(keys, threads=2),
    "column": column,
}
#: every call that takes node ids
NODE_CALLS: dict[str, Call] = {
    "NodeSet": rvh.NodeSet,
    "rvh.select_batch of nodes": lambda nodes: rvh.select_batch(nodes, ["key"]),
    "StableSelector": StableSelector,
    "StableSelector.append": SELECTOR.append,
}
NULLS_ARE_FINE = {"select_arrow", "select_arrow, threads", "rvh.select_arrow"}


def array_of(forge: Forge, values: Any = TEXTS, **options: Any) -> Exporter:
    return forge.exporter(forge.schema(b"u"), forge.strings(values), **options)


def coded(forge: Forge, texts: list[str], codes: list[int | None]) -> Array:
    return forge.numbers(codes, 4, dictionary=ctypes.addressof(forge.strings(texts)))


def dictionary_of(forge: Forge) -> Exporter:
    schema = forge.schema(b"i", dictionary=forge.schema(b"u"))
    data = b"".join((n % 5).to_bytes(4, "little") for n in range(50))
    array = forge.array(50, [None, data], dictionary=forge.strings(TEXTS[:5]))
    return forge.exporter(schema, array)


def struct_of(forge: Forge) -> Exporter:
    schema = forge.schema(b"+s", [forge.schema(b"u")])
    return forge.exporter(schema, forge.array(50, [None], [forge.strings(TEXTS)]))


def stream_of(forge: Forge) -> Exporter:
    chunks = [forge.strings(TEXTS[a:b]) for a, b in ((0, 20), (20, 20), (20, 21), (21, 50))]
    return forge.exporter(forge.stream(forge.schema(b"u"), chunks))


def runs_of(forge: Forge) -> Exporter:
    schema = forge.schema(b"+r", [forge.schema(b"i"), forge.schema(b"u")])
    ends = forge.numbers([10, 50], 4)
    return forge.exporter(schema, forge.array(50, [], [ends, forge.strings(TEXTS[:2])]))


GOOD = {
    "array": array_of,
    "dictionary": dictionary_of,
    "runs": runs_of,
    "struct": struct_of,
    "stream": stream_of,
    "empty stream": lambda forge: forge.exporter(forge.stream(forge.schema(b"u"), [])),
    "empty array": lambda forge: array_of(forge, []),
}
NEED_KEYS = {"empty stream", "empty array", "dictionary", "runs"}  # of ids: repeated, or none


@pytest.mark.parametrize("destructor", [True, False])
@pytest.mark.parametrize("call", CALLS)
def test_success(forge: Forge, call: str, destructor: bool) -> None:
    keys = array_of(forge, destructor=destructor)
    answer = CALLS[call](keys)
    if call == "column":
        assert forge.released != forge.handed  # the column reads its memory
        del answer
    forge.check()
    assert keys.asked == 1


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("call", CALLS)
def test_success_of_every_kind(forge: Forge, call: str, kind: str) -> None:
    CALLS[call](GOOD[kind](forge))
    forge.check()


@pytest.mark.parametrize("kind", sorted(set(GOOD) - NEED_KEYS))
@pytest.mark.parametrize("call", NODE_CALLS)
def test_success_of_nodes(forge: Forge, call: str, kind: str) -> None:
    NODE_CALLS[call](GOOD[kind](forge))
    forge.check()


# -- errors ---------------------------------------------------------------------------------------


def broken_offsets(forge: Forge) -> Array:
    offsets = b"".join(n.to_bytes(4, "little") for n in (0, 3, 2, 4))
    return forge.array(3, [None, offsets, b"abcd"])


def failing_stream(forge: Forge) -> Exporter:
    return forge.exporter(forge.stream(forge.schema(b"u"), [forge.strings(["a"]), 5]))


def null_in_a_later_chunk(forge: Forge) -> Exporter:
    chunks = [forge.strings(["a"]), forge.strings(["b", None])]
    return forge.exporter(forge.stream(forge.schema(b"u"), chunks))


def damaged_later_chunk(forge: Forge) -> Exporter:
    chunks = [forge.strings(["a"]), broken_offsets(forge), forge.strings(["never read"])]
    return forge.exporter(forge.stream(forge.schema(b"u"), chunks))


def bad_type(forge: Forge) -> Exporter:
    return forge.exporter(forge.schema(b"g"), forge.numbers([1, 2]))


def bad_view(forge: Forge) -> Exporter:
    """Found only where its element is read."""
    inline = (2).to_bytes(4, "little") + b"ab" + bytes(10)
    outside = b"".join(n.to_bytes(4, "little") for n in (20, 0, 3, 0))
    sizes = (64).to_bytes(8, "little")
    array = forge.array(31, [None, inline * 30 + outside, b"x" * 64, sizes])
    return forge.exporter(forge.schema(b"vu"), array)


ERRORS: dict[str, tuple[Callable[[Forge], Exporter], str]] = {
    "a null": (lambda forge: array_of(forge, ["a", "b", None]), "null"),
    "a null in a later chunk": (null_in_a_later_chunk, "null"),
    "a bad type": (bad_type, "double"),
    "a bad type in a stream": (
        lambda forge: forge.exporter(forge.stream(forge.schema(b"g"), [forge.numbers([1])])),
        "double",
    ),
    "damage": (
        lambda forge: forge.exporter(forge.schema(b"u"), broken_offsets(forge)),
        "damaged",
    ),
    "damage in a later chunk": (damaged_later_chunk, "damaged"),
    "a stream that fails midway": (failing_stream, "error 5: the disk is on fire"),
    "get_schema fails": (
        lambda forge: forge.exporter(forge.stream(13, [])),
        "error 13: the disk is on fire",
    ),
    "a view outside": (bad_view, "position 30"),
}


#: every call with every error, but for those that the call does not make one
FAILING = [
    (call, error)
    for call in [*CALLS, *NODE_CALLS]
    for error in ERRORS
    if not (call in NULLS_ARE_FINE and "null" in error)
    and not (call == "column" and "view" in error)
]


@pytest.mark.parametrize(("call", "error"), FAILING)
def test_error(forge: Forge, call: str, error: str) -> None:
    make, message = ERRORS[error]
    keys = make(forge)
    with pytest.raises(rvh.RVHError, match=message) as caught:
        {**CALLS, **NODE_CALLS}[call](keys)
    forge.check()  # while the error is held, and its traceback
    assert caught.value.__traceback__ is not None


@pytest.mark.parametrize("k", [0, 5])
def test_k_out_of_range(forge: Forge, k: int) -> None:
    for call in (SET.argselect_batch, SET.select_batch, SET.select_arrow):
        keys = array_of(forge)
        with pytest.raises(rvh.RVHError, match="k is"):
            call(keys, k)
        del keys  # whose capsules release what nobody took
    forge.check()


def test_bad_threads(forge: Forge) -> None:
    keys = array_of(forge)
    with pytest.raises(rvh.RVHError, match="threads is 0") as caught:
        SET.argselect_batch(keys, threads=0)
    forge.check()
    assert caught.value


def test_a_second_column_that_is_bad(forge: Forge) -> None:
    first, second = array_of(forge, TEXTS[:3]), bad_type(forge)
    with pytest.raises(rvh.RVHTypeError) as caught:
        compose_keys(first, second)
    forge.check()
    assert caught.value


def test_columns_of_different_length(forge: Forge) -> None:
    first, second = array_of(forge), stream_of(forge)
    with pytest.raises(rvh.RVHError, match="50") as caught:
        compose_keys(first, second, ["a"])
    forge.check()
    assert caught.value


def test_a_second_capsule_that_is_bad(forge: Forge) -> None:
    schema = forge.capsule(forge.schema(b"u"))
    with pytest.raises(rvh.RVHError, match="'arrow_array'") as caught:
        column(Give((schema, "nonsense")))
    forge.check()  # the first was taken, so it is released here
    assert caught.value


class Give:
    """Whatever it is told to."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self._given


def test_capsules_that_nobody_takes(forge: Forge) -> None:
    given = [forge.capsule(forge.schema(b"u")), forge.capsule(forge.strings(["a"]))]
    with pytest.raises(rvh.RVHError, match="arrow_schema and arrow_array"):
        column(Give((*given, None)))
    assert not forge.released
    given.clear()
    gc.collect()
    forge.check()


def test_the_same_capsules_twice(forge: Forge) -> None:
    keys = Give((forge.capsule(forge.schema(b"u")), forge.capsule(forge.strings(["a"]))))
    assert len(SET.argselect_batch(keys)) == 1
    with pytest.raises(rvh.RVHError, match="taken before"):
        SET.argselect_batch(keys)
    forge.check()


# -- how long columns live ------------------------------------------------------------------------


def test_a_column_keeps_its_memory(forge: Forge) -> None:
    for make in (array_of, dictionary_of, stream_of, struct_of, runs_of):
        plain = SET.argselect_batch(make(forge))
        kept = column(make(forge))
        for _ in range(2):
            assert np.array_equal(SET.argselect_batch(kept), plain)
        part = kept.take(np.arange(5, 45))
        del kept
        gc.collect()
        assert np.array_equal(SET.argselect_batch(part), plain[5:45])
        assert forge.released != forge.handed
        del part
        forge.check()


def test_a_column_in_a_cycle(forge: Forge) -> None:
    cycle: list[Any] = [column(array_of(forge))]
    cycle.append(cycle)
    assert forge.released != forge.handed
    del cycle
    gc.collect()
    forge.check()


def test_what_an_error_holds_can_be_looked_at_when_the_memory_is_gone() -> None:
    # Error trackers print the variables of every frame: they must not read what was released.
    code = """
        import ctypes, sys, mmap
        import rvh
        from arrow_forged import Forge
        from rvh._batch.threads import over_rows
        import rvh._batch.threads
        rvh._batch.threads.PAIRS_PER_BLOCK = 40
        unmap = ctypes.CDLL(None).munmap
        unmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        map_ = ctypes.CDLL(None).mmap
        map_.restype = ctypes.c_void_p
        SIZE = 1 << 20

        def mapped(data):
            at = map_(None, ctypes.c_size_t(SIZE), 3, 0x22, -1, ctypes.c_size_t(0))
            ctypes.memmove(at, data, len(data))
            return at

        def export(format_, length, *buffers, **more):
            forge = Forge()
            places = [mapped(each) if isinstance(each, bytes) else each for each in buffers]
            array = forge.array(length, places, **more)
            original = array.release
            from arrow_forged import RELEASE, address
            def release(at):
                RELEASE(original)(at)
                for place in filter(None, places):
                    assert unmap(place, SIZE) == 0
            kept.append(RELEASE(release))
            array.release = address(kept[-1])
            kept.append(forge)
            return forge.exporter(forge.schema(format_), array)

        kept = []
        ns = rvh.NodeSet(["a", "b", "c", "d"])
        def ints(*values, size=4):
            return b"".join(v.to_bytes(size, "little", signed=True) for v in values)
        inline = ints(2) + b"ab" + bytes(10)
        view = inline * 90 + ints(20, 0, 3, 0)
        cases = [
            lambda: export(b"u", 3, None, ints(0, 3, 2, 4), b"abcd"),
            lambda: export(b"vu", 91, None, view, b"x" * 64, ints(64, size=8)),
            lambda: export(b"l", 3, b"\\x05", ints(1, 2, 3, size=8), null_count=1),
            lambda: export(b"w:3", 3, b"\\x05", b"abcdefghi", null_count=-1),
            lambda: export(b"u", 3, b"\\x05", ints(0, 1, 2, 3), b"abc", null_count=-1),
        ]
        seen = 0
        for case in cases:
            for call in (ns.argselect_batch, ns.select_arrow, rvh.keys.column,
                         lambda keys: ns.score_batch(keys, threads=2)):
                try:
                    call(case())
                except rvh.RVHError as error:
                    trace = error.__traceback__
                    while trace is not None:
                        for value in list(trace.tb_frame.f_locals.values()):
                            seen += len(repr(value))
                        trace = trace.tb_next
        assert seen
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("the numbers of mmap are Linux's")
    assert output(code) == ""


# -- Ctrl-C ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["array", "stream", "dictionary"])
def test_interrupts_everywhere(kind: str) -> None:
    def run(at: int) -> bool:
        forge = Forge()
        keys: Any = GOOD[kind](forge)
        came = interrupted_at(at, partial(SET.select_arrow, keys, threads=1))
        del keys
        if forge.released != forge.handed:
            gc.collect()
        forge.check()
        return came

    assert not run(10**9)
    at = 1
    while run(at):
        at += 1
    assert at > 100
