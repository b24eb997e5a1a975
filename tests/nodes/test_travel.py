"""How a NodeSet travels: small, prepared once a process, never read by a reader who may differ."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest
from subprocesses import output, python

import rvh
from rvh._pickles import FORMAT

IDS = [f"cache-{n:03d}.eu-west-1:11211" for n in range(64)]
SETS = {
    "plain": rvh.NodeSet(IDS),
    "secret": rvh.NodeSet(IDS, secret=b"16 random bytes!"),
    "weights": rvh.NodeSet(IDS, weights=np.arange(64) / 3),
    "murmur": rvh.NodeSet(IDS, scheme="murmur"),
    "bytes": rvh.NodeSet([name.encode() for name in IDS]),
    "objects": rvh.NodeSet(["a", b"b", "c\0", "é"], weights=[1, 0, 2.5, 1e-3]),
    "all str, dtype object": rvh.NodeSet(np.array(["a", "b"], dtype=object)),
    "wide, big-endian": rvh.NodeSet(np.array(["a", "b"]).astype(">U9")),
    "one": rvh.NodeSet(["a"]),
}
KEYS = ["x", "é", 7, b""]


@pytest.mark.parametrize("name", SETS)
def test_what_arrives_is_equal(name: str) -> None:
    sent = SETS[name]
    arrived = pickle.loads(pickle.dumps(sent))
    assert arrived == sent
    assert arrived.fingerprint == sent.fingerprint
    assert arrived.ids.dtype == sent.ids.dtype
    assert not arrived.ids.flags.writeable
    assert np.array_equal(arrived.score_batch(KEYS), sent.score_batch(KEYS))
    assert arrived.select_batch(KEYS).tolist() == sent.select_batch(KEYS).tolist()


@pytest.mark.parametrize(
    ("name", "most"),
    # 26 characters a name, 9 bytes a weight; the ids as an array of U would be 6,656 bytes
    [("plain", 2200), ("secret", 2200), ("weights", 2800), ("murmur", 2200), ("bytes", 2200)],
)
def test_it_is_small(name: str, most: int) -> None:
    ns = SETS[name]
    size = len(pickle.dumps(ns))
    ns.select_batch(np.arange(1000), k=2)  # nothing that an answer leaves behind travels
    assert len(pickle.dumps(ns)) == size <= most


# -- once a process -----------------------------------------------------------------------------


def test_a_thousand_tasks_share_one_set() -> None:
    sent = pickle.dumps(rvh.NodeSet(["shared", "by", "tasks"]))
    assert len({id(pickle.loads(sent)) for _ in range(1000)}) == 1


def test_sets_that_differ_in_anything_are_not_confused() -> None:
    ids = ["a", "b", "c"]
    sets = [
        rvh.NodeSet(ids),
        rvh.NodeSet(ids[::-1]),  # the same fingerprint: only indices differ
        rvh.NodeSet([b"a", b"b", b"c"]),  # the same fingerprint: answers are bytes
        rvh.NodeSet(["a", b"b", "c"]),
        rvh.NodeSet(np.array(ids, "U7")),
        rvh.NodeSet(np.array(ids, object)),
        rvh.NodeSet(ids, secret=b"s"),
        rvh.NodeSet(ids, scheme="murmur"),
        rvh.NodeSet(ids, weights=[1, 1, 1]),
        rvh.NodeSet(ids, weights=[1, 1, 2]),
    ]
    arrived = [pickle.loads(pickle.dumps(ns)) for ns in sets for _ in range(2)]
    for index, sent in enumerate(sets):
        for ns in arrived[2 * index : 2 * index + 2]:
            assert ns == sent
            assert ns.ids.dtype == sent.ids.dtype
            assert ns.argselect_batch(KEYS, k=3).tolist() == sent.argselect_batch(KEYS, 3).tolist()


def test_from_many_threads() -> None:
    sets = [rvh.NodeSet([f"{n}", "other"]) for n in range(20)]  # more than are kept
    sent = [pickle.dumps(ns) for ns in sets]
    wrong = []
    start = threading.Barrier(8)

    def read() -> None:
        start.wait()
        for _ in range(20):
            wrong.extend(a for a, d in zip(sets, sent, strict=True) if pickle.loads(d) != a)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# -- readers who may differ ---------------------------------------------------------------------

READ = """
    import pickle
    from rvh import RVHError, _pickles
    _pickles.FORMAT += {newer}
    try:
        print(pickle.loads({sent!r}).select("key"))
    except RVHError as error:
        print("refused:", error)
"""


def sent_in(pickle_format: object, ns: rvh.NodeSet) -> bytes:
    """A pickle as another rvh would write it."""

    class Sent:
        def __reduce__(self) -> tuple[Any, ...]:
            rebuild, (_, *state) = ns.__reduce__()
            return rebuild, (pickle_format, *state)

    return pickle.dumps(Sent())


@pytest.mark.parametrize("earlier", [*range(FORMAT + 1), "0.1.0", "whatever"])
def test_every_earlier_format_is_read(earlier: object) -> None:
    """The first one had a version there."""
    assert pickle.loads(sent_in(earlier, SETS["plain"])) == SETS["plain"]


@pytest.mark.parametrize("other", [FORMAT + 1, 999, -1, None, 0.5])
def test_another_format_is_refused(other: object) -> None:
    with pytest.raises(rvh.RVHError, match="install the same rvh on every worker") as caught:
        pickle.loads(sent_in(other, SETS["plain"]))
    assert f"a NodeSet in the pickle format {other} cannot be read" in str(caught.value)
    assert f"by rvh {rvh.__version__}, which reads formats up to {FORMAT}:" in str(caught.value)


def test_another_process_refuses_a_newer_format_alone() -> None:
    sent = pickle.dumps(SETS["secret"])
    assert output(READ.format(newer=-1, sent=sent), "-W", "ignore").startswith("refused: a Node")
    for newer in (0, 1):
        read = output(READ.format(newer=newer, sent=sent), "-W", "ignore")
        assert read == f"{SETS['secret'].select('key')}\n"


def test_a_format_is_judged_before_what_only_it_understands() -> None:
    """A later rvh may send what this one has never heard of."""
    rebuild, (_, *made) = rvh.NodeSet(["a"]).__reduce__()
    with pytest.raises(rvh.RVHError, match="the pickle format 999 "):
        rebuild(999, *made, {"something": "new"})


def test_an_older_fingerprint_that_is_remembered_is_refused_too() -> None:
    """The check is made for each pickle, not only for the one that filled the cache."""
    sent = pickle.dumps(SETS["plain"])
    assert pickle.loads(sent) == SETS["plain"]
    with pytest.raises(rvh.RVHError, match="fingerprint"):
        pickle.loads(sent.replace(SETS["plain"].fingerprint.encode(), b"0" * 64))


@pytest.mark.parametrize(
    ("name", "true", "false"),
    [
        ("plain", b"cache-007", b"cache-700"),
        ("secret", b"16 random", b"17 random"),
        ("bytes", b"cache-007", b"cache-700"),
        ("murmur", SETS["murmur"].fingerprint.encode(), SETS["plain"].fingerprint.encode()),
    ],
)
def test_a_fingerprint_that_differs_is_refused(name: str, true: bytes, false: bytes) -> None:
    sent = pickle.dumps(SETS[name])
    assert sent.count(true) == 1
    with pytest.raises(rvh.RVHError, match="install the same rvh on every worker") as caught:
        pickle.loads(sent.replace(true, false))
    expected = SETS["plain"] if name == "murmur" else SETS[name]
    assert expected.fingerprint in str(caught.value)


def test_another_rule_for_fingerprints_is_refused() -> None:
    """As in an rvh whose contract is another: its own sets have other fingerprints."""
    code = f"""
        import hashlib, pickle, rvh
        hashlib.blake2b = lambda *a, person=b'', f=hashlib.blake2b, **k: f(
            *a, person=person.lower(), **k)
        pickle.loads({pickle.dumps(SETS["weights"])!r})
    """
    done = python(code, "-W", "ignore")
    assert done.returncode == 1
    assert "keys would be placed differently here" in done.stderr
    assert SETS["weights"].fingerprint in done.stderr


def test_the_secret_is_in_no_message() -> None:
    sent = pickle.dumps(SETS["secret"])
    errors: list[Any] = []
    with pytest.raises(rvh.RVHError) as caught:
        pickle.loads(sent.replace(b"cache-007", b"cache-700"))
    errors.append(caught.value)
    with pytest.raises(rvh.RVHError) as caught:
        pickle.loads(sent_in(999, SETS["secret"]))
    errors.append(caught.value)
    assert not [error for error in errors if "16 random bytes!" in str(error)]
