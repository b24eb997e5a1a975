"""Ray: two workers give the answers of NumPy."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'rvh[ray]'")

import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import same_keys  # noqa: E402
from clusters import REFUSALS, Million, asked  # noqa: E402
from pages import run_page  # noqa: E402
from placements import (  # noqa: E402
    GEO,
    GEOHASHES,
    IDS,
    NUMBERS,
    OF_OTHER_SYSTEMS,
    PLACEMENTS,
    TEXT,
    expected,
    near,
)

import rvh  # noqa: E402
from rvh.integrations.ray import with_node  # noqa: E402

# Ray warns about defaults of its own, and about its own use of pandas.
pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\.data\..*")

NODES = ["a", "b", "c", "d", "e"]


@pytest.fixture(scope="module", autouse=True)
def cluster(surroundings: Path) -> Iterator[None]:
    # Not in pytest's folder: the path of a socket has at most 107 bytes.
    folder = tempfile.mkdtemp(prefix="rvh-ray-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            num_cpus=2,
            object_store_memory=2**30,  # with less, an older Ray runs one task after the other
            include_dashboard=False,
            logging_level="error",
            log_to_driver=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
        yield
        ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def dataset(*blocks: Any) -> Any:
    return ray.data.from_arrow([pa.table({"key": block}) for block in blocks])


def column(ds: Any, name: str = "node") -> list[Any]:
    return [row[name] for row in ds.take_all()]


def test_a_million_keys_on_two_workers(million: Million, tmp_path: Path) -> None:
    def meet(block: Any, folder: str) -> Any:
        """Until another worker has come too: two take part."""
        import os
        import time
        from pathlib import Path

        Path(folder, str(os.getpid())).touch()
        deadline = time.monotonic() + 120
        while len(list(Path(folder).iterdir())) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return block

    parts = np.array_split(np.arange(len(million.keys)), 8)
    ds = dataset(*(pa.array(million.keys[part[0] : part[-1] + 1]) for part in parts))
    ds = with_node(ds.map_batches(meet, fn_args=(str(tmp_path),)), "key", million.nodes)
    found = dict(zip(million.keys, million.best, strict=True))
    rows = 0
    for batch in ds.iter_batches(batch_format="pyarrow", batch_size=None):  # blocks in any order
        keys = batch["key"].to_pylist()
        assert batch["node"].to_pylist() == [found[key] for key in keys]
        rows += len(keys)
    assert rows == len(million.keys)


def test_nulls() -> None:
    keys = ["x", None, "", None, "y"]
    for k in (1, 3):
        answer = column(with_node(dataset(pa.array(keys)), "key", NODES, k))
        assert [row is None for row in answer] == [key is None for key in keys]
        best = rvh.select_batch(NODES, ["x", "", "y"], k).tolist()
        assert [answer[n] for n in (0, 2, 4)] == [row[0] if k == 1 else row for row in best]


def test_nothing_but_nulls() -> None:
    assert column(with_node(ray.data.from_items([{"key": None}]), "key", NODES)) == [None]


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "uint64"])
def test_integer_keys(dtype: str) -> None:
    best = rvh.select_batch(NODES, np.arange(100))[:, 0].tolist()
    assert column(with_node(dataset(np.arange(100, dtype=dtype)), "key", NODES)) == best


def test_several_blocks_of_a_dictionary() -> None:
    keys = [f"k{n % 7}" for n in range(100)]
    blocks = [pa.array(keys[:50]).dictionary_encode(), pa.array(keys[50:]).dictionary_encode()]
    answer = column(with_node(dataset(*blocks), "key", NODES))
    assert sorted(answer) == sorted(rvh.select_batch(NODES, keys)[:, 0].tolist())


def test_blocks_of_pandas() -> None:
    frame = pd.DataFrame({"key": pd.Series(["x", None, "y"], dtype=object)})
    best = rvh.select_batch(NODES, ["x", "y"])[:, 0].tolist()
    answer = column(with_node(ray.data.from_pandas(frame), "key", NODES))
    assert answer == [best[0], None, best[1]]


def test_several_nodes_of_a_key_weights_and_a_secret() -> None:
    keys = [f"k{n}" for n in range(200)]
    options: dict[str, Any] = {"weights": [1, 2, 3, 4, 5], "secret": b"s"}
    ds = with_node(dataset(pa.array(keys)), "key", NODES, 3, "replicas", **options).materialize()
    assert dict(zip(ds.schema().names, ds.schema().types, strict=True))["replicas"] == pa.list_(
        pa.string()
    )
    assert column(ds, "replicas") == rvh.select_batch(NODES, keys, 3, **options).tolist()


@pytest.mark.parametrize("k", [1, 2])
def test_ids_of_bytes(k: int) -> None:
    nodes = [b"a", b"\xff\0b"]
    answer = column(with_node(dataset(pa.array(["x", "y"])), "key", nodes, k))
    best = rvh.select_batch(nodes, ["x", "y"], k).tolist()
    assert [[row] if k == 1 else row for row in answer] == best


def known() -> Any:
    time = pa.array([0], pa.timestamp("us"))
    return ray.data.from_arrow(
        pa.table({"user": ["x"], "float": [1.5], "flag": [True], "time": time})
    )


@pytest.mark.parametrize(("options", "error", "message"), REFUSALS)
def test_refused_before_anything_runs(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        with_node(known(), **asked(options))


@pytest.mark.parametrize("options", [{"key": "usr"}, {"column": "flag"}, {"key": "float"}], ids=str)
def test_a_schema_that_ray_does_not_know_is_refused_by_the_first_task(
    options: dict[str, Any],
) -> None:
    ds = with_node(known().map_batches(lambda block: block), **asked(options))
    with pytest.raises(ray.exceptions.RayTaskError, match=r"RVH.*Error: .*column"):
        ds.materialize()


# A worker is of this rvh, so here the driver's is made to differ.


def test_an_older_worker_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rvh._pickles.FORMAT", 999)
    ds = with_node(ray.data.range(10), "id", NODES)
    with pytest.raises(
        ray.exceptions.RayTaskError, match=r"RVHError: .* format 999 .*install the same rvh"
    ):
        ds.materialize()


def test_a_worker_with_another_fingerprint_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rvh.NodeSet, "fingerprint", "0" * 64)
    ds = with_node(ray.data.range(10), "id", NODES)
    with pytest.raises(
        ray.exceptions.RayTaskError, match=r"RVHError: .*fingerprint 0{64}.*install the same rvh"
    ):
        ds.materialize()


# -- the keys of tests/integrations/test_same_nodes.py -------------------------------------------


@pytest.mark.parametrize("kind", same_keys.KINDS)
def test_the_same_nodes_as_everywhere(kind: str) -> None:
    table = same_keys.keys(kind).table
    if kind == "date":
        table = table.cast(pa.schema({"day": pa.string()}))
    table = table.append_column("row", [list(range(len(table)))])
    ds = ray.data.from_arrow([table.slice(0, 30_000), table.slice(30_000)])
    rows = with_node(ds, same_keys.key(kind), same_keys.NODES).take_all()
    found = same_keys.in_order([row["row"] for row in rows], [row["node"] for row in rows])
    assert found == same_keys.nodes(kind)


# -- placements, composite keys, named columns --------------------------------------------------


def table() -> Any:
    return ray.data.from_arrow(pa.table({"text": TEXT, "number": NUMBERS, "place": GEOHASHES}))


def lists(answers: list[Any], k: int) -> list[Any]:
    return [None if row is None else [row] if k == 1 else list(row) for row in answers]


def test_placements() -> None:
    """One job: each placement adds its columns."""
    ds = table()
    asked_for = []
    for number, (name, (placement, k, options, answer)) in enumerate(PLACEMENTS.items()):
        if "own" in name:
            continue
        ds = with_node(ds, "text", placement, k, f"one {number}", **options)
        asked_for.append((f"one {number}", k, expected(answer, TEXT)))
        if name not in OF_OTHER_SYSTEMS:
            ds = with_node(ds, ["number", "text"], placement, k, f"two {number}", **options)
            asked_for.append((f"two {number}", k, expected(answer, NUMBERS, TEXT)))
    rows = with_node(ds, "text", GEO, 2, "near", geohash="place").take_all()
    for name, k, best in [*asked_for, ("near", 2, near(2))]:
        assert lists([row[name] for row in rows], k) == best, name


def test_named_columns() -> None:
    rows = with_node(table(), "text", IDS, 2, as_columns=True).take_all()
    best = expected(lambda keys: rvh.select_batch(IDS, keys, 2), TEXT)
    assert [[row["node_1"], row["node_2"]] for row in rows] == [row or [None] * 2 for row in best]
    with pytest.raises(rvh.RVHTypeError, match="needs the place of each key"):
        with_node(table(), "text", GEO)


def test_the_page(tmp_path: Path) -> None:
    """Its cluster is this one."""
    assert run_page("how-to/engines/ray.md", tmp_path, {}) == 3
