"""Dask: two worker processes give the answers of NumPy, also when one of them dies."""

from __future__ import annotations

import datetime
import os
import signal
import time
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

dd = pytest.importorskip("dask.dataframe", reason="Dask is not installed: pip install 'rvh[dask]'")
distributed = pytest.importorskip(
    "distributed", reason="Dask's cluster is not installed: pip install 'rvh[dask]'"
)

import cloudpickle  # noqa: E402
import dask  # noqa: E402
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
from rvh.integrations.dask import partition_by_node, with_node  # noqa: E402

NODES = ["a", "b", "c", "d", "e"]
#: seconds after which a test that waits for a worker gives up
PATIENCE = 120


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=str(tmp_path),
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2, timeout=PATIENCE)
        yield client


def read_million(million: Million, parts: int) -> Any:
    """Made where it is worked on, as a file would be read there."""
    per_part = len(million.keys) // parts

    # A function in a function goes to a worker as it is; it could not import this module.
    def read(number: int) -> Any:
        keys = [f"user:{n:08d}" for n in range(number * per_part, (number + 1) * per_part)]
        return pd.DataFrame({"key": keys, "part": number})

    return dd.from_map(read, range(parts), meta=pd.DataFrame({"key": ["x"], "part": [0]}))


def frame(**columns: Any) -> Any:
    return dd.from_pandas(pd.DataFrame(columns), npartitions=3)


def placed(df: Any, *args: Any, **options: Any) -> Any:
    """In this process: what does not need a cluster."""
    return with_node(df, *args, **options).compute(scheduler="sync")


# -- on a cluster -------------------------------------------------------------------------------


def test_a_million_keys_on_two_workers(client: Any, million: Million) -> None:
    df = read_million(million, 8)
    answer = with_node(df, "key", million.nodes).compute()
    assert answer["node"].tolist() == million.best
    assert answer["key"].tolist() == million.keys


def test_a_worker_dies_in_the_middle(client: Any, million: Million, tmp_path: Path) -> None:
    """Each worker finishes a partition and stops at a later odd one; there one is killed."""

    def stop_at_odd_ones(part: Any, folder: str) -> Any:
        finished = Path(folder, f"finished-{os.getpid()}")
        if len(part) and part["part"].iloc[0] % 2 and finished.exists():
            Path(folder, f"stopped-{os.getpid()}").touch()
            while not Path(folder, "go").exists():
                time.sleep(0.02)
        elif len(part):
            finished.touch()
        return part

    signals = tmp_path / "signals"
    signals.mkdir()
    df = with_node(read_million(million, 16), "key", million.nodes)
    df = df.map_partitions(stop_at_odd_ones, str(signals), meta=df._meta)
    job = client.compute(df)

    def workers(state: str) -> set[int]:
        return {int(path.name.partition("-")[2]) for path in signals.glob(f"{state}-*")}

    deadline = time.monotonic() + PATIENCE
    while len(workers("stopped")) < 2 or not workers("finished"):
        assert time.monotonic() < deadline, list(signals.iterdir())
        assert not job.done()
        time.sleep(0.02)
    victim = min(workers("stopped") & workers("finished"))
    os.kill(victim, signal.SIGKILL)
    (signals / "go").touch()
    answer = job.result(timeout=PATIENCE)
    assert answer["node"].tolist() == million.best
    assert len(workers("finished") - {victim}) >= 1


def test_the_set_travels_to_each_worker_once(client: Any) -> None:
    nodes = [f"node-{n}" for n in range(5000)]
    df = dd.from_map(lambda n: pd.DataFrame({"key": [n]}), range(50), meta={"key": int})
    answer = with_node(df, "key", nodes)
    tasks = answer.optimize().dask.values()
    assert sum(len(cloudpickle.dumps(task)) > 50_000 for task in tasks) == 1

    def held(dask_worker: Any) -> int:
        return sum(type(value) is bytes for value in dask_worker.data.values())

    answer = client.persist(answer)
    distributed.wait(answer)
    assert set(client.run(held).values()) <= {0, 1}
    best = rvh.select_batch(nodes, np.arange(50))[:, 0].tolist()
    assert answer.compute()["node"].tolist() == best


# -- who must not answer ------------------------------------------------------------------------


def test_an_older_worker_fails_loudly(client: Any) -> None:
    def older() -> None:
        from rvh import _pickles

        _pickles.FORMAT = 0

    (worker, _) = client.scheduler_info()["workers"]
    client.run(older, workers=[worker])
    df = dd.from_pandas(pd.DataFrame({"key": np.arange(100)}), npartitions=20)
    with pytest.raises(rvh.RVHError, match=r"formats up to 0: install the same rvh"):
        with_node(df, "key", NODES).compute()


def test_a_worker_with_another_fingerprint_fails_loudly(client: Any) -> None:
    def different() -> None:
        import hashlib

        blake2b: Any = hashlib.blake2b

        def other(*args: Any, person: bytes = b"", **more: Any) -> Any:
            return blake2b(*args, person=person.lower(), **more)

        hashlib.blake2b = other

    (_, worker) = client.scheduler_info()["workers"]
    client.run(different, workers=[worker])
    df = dd.from_pandas(pd.DataFrame({"key": np.arange(100)}), npartitions=20)
    with pytest.raises(rvh.RVHError, match=r"fingerprint .* install the same rvh"):
        with_node(df, "key", NODES).compute()


# -- columns ------------------------------------------------------------------------------------


def test_nulls() -> None:
    keys = ["x", None, "", None, "y"]
    for k in (1, 3):
        answer = placed(frame(key=keys), "key", NODES, k)["node"]
        assert answer.isna().tolist() == [False, True, False, True, False]
        found = [row if k == 1 else list(row) for row in answer.dropna()]
        best = rvh.select_batch(NODES, ["x", "", "y"], k).tolist()
        assert found == [row[0] if k == 1 else row for row in best]


def test_nothing_but_nulls() -> None:
    assert placed(frame(key=[None, None]), "key", NODES)["node"].isna().all()


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "uint64", "Int64", "int32[pyarrow]"])
def test_integer_keys(dtype: str) -> None:
    answer = placed(frame(key=pd.Series(range(100), dtype=dtype)), "key", NODES)
    assert answer["node"].tolist() == rvh.select_batch(NODES, np.arange(100))[:, 0].tolist()


def test_integers_with_nulls() -> None:
    answer = placed(frame(key=pd.Series([7, None], dtype="Int64")), "key", NODES)["node"]
    assert answer[0] == rvh.rendezvous_hash(NODES, 7)[0]
    assert answer.isna()[1]


def test_categories() -> None:
    keys = ["x", "y", "x", None]
    answer = placed(frame(key=pd.Categorical(keys)), "key", NODES)["node"]
    assert answer[:3].tolist() == rvh.select_batch(NODES, keys[:3])[:, 0].tolist()
    assert answer.isna()[3]


def test_several_nodes_of_a_key_weights_and_a_secret() -> None:
    keys = [f"k{n}" for n in range(200)]
    options: dict[str, Any] = {"weights": [1, 2, 3, 4, 5], "secret": b"s"}
    answer = placed(frame(key=keys), "key", NODES, 3, "replicas", **options)["replicas"]
    assert [list(row) for row in answer] == rvh.select_batch(NODES, keys, 3, **options).tolist()
    assert answer.dtype == pd.ArrowDtype(pa.list_(pa.string()))


@pytest.mark.parametrize("k", [1, 2])
def test_ids_of_bytes(k: int) -> None:
    nodes = [b"a", b"\xff\0b"]
    answer = placed(frame(key=["x", "y"]), "key", nodes, k)["node"]
    best = rvh.select_batch(nodes, ["x", "y"], k).tolist()
    assert [[row] if k == 1 else list(row) for row in answer] == best


def test_the_dtypes_are_those_announced() -> None:
    for k in (1, 2):
        df = with_node(frame(key=["x", "y"], other=[1, 2]), "key", NODES, k)
        assert df.compute(scheduler="sync").dtypes.tolist() == df.dtypes.tolist()


def test_the_index_stays() -> None:
    frame = pd.DataFrame({"key": ["x", "y", "z"]}, index=[30, 10, 20])
    answer = placed(dd.from_pandas(frame, npartitions=2, sort=False), "key", NODES)
    assert answer["node"].to_dict() == {
        n: rvh.rendezvous_hash(NODES, key)[0]
        for n, key in zip([30, 10, 20], ["x", "y", "z"], strict=True)
    }


def test_the_same_call_has_the_same_name() -> None:
    """So that Dask finds what it has persisted."""
    df = frame(key=["x"])
    assert with_node(df, "key", NODES)._name == with_node(df, "key", NODES)._name
    assert with_node(df, "key", NODES)._name != with_node(df, "key", NODES[::-1])._name


@pytest.mark.parametrize(("options", "error", "message"), REFUSALS)
def test_refused_before_anything_runs(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    df = frame(user=["x"], float=[1.5], flag=[True], time=[pd.Timestamp(0)])
    with pytest.raises(error, match=message):
        with_node(df, **asked(options))


# -- objects --------------------------------------------------------------------------------------

INTEGERS = [1, 7, 2**63, 2**64 - 1]


def as_objects(values: list[Any]) -> Any:
    return dd.from_pandas(pd.DataFrame({"key": pd.Series(values, dtype=object)}), npartitions=2)


def test_dask_makes_text_of_objects() -> None:
    """Before rvh sees them, integers too; docs/how-to/engines/dask.md gives the two ways out."""
    with dask.config.set({"dataframe.convert-string": True}):  # Dask's own default
        df = as_objects(INTEGERS)
        assert df.dtypes["key"] == pd.StringDtype("pyarrow")
        texts = rvh.select_batch(NODES, list(map(str, INTEGERS)))[:, 0].tolist()
        assert placed(df, "key", NODES)["node"].tolist() == texts
        expected = rvh.select_batch(NODES, INTEGERS)[:, 0].tolist()
        typed = frame(key=pd.Series(INTEGERS, dtype=object).astype("uint64"))
        assert placed(typed, "key", NODES)["node"].tolist() == expected
    with dask.config.set({"dataframe.convert-string": False}):
        assert placed(as_objects(INTEGERS), "key", NODES)["node"].tolist() == expected


@pytest.mark.parametrize("convert", [True, False])
def test_uuids(convert: bool) -> None:
    keys = [uuid.UUID(int=n << 60) for n in range(5)]
    expected = rvh.select_batch(NODES, list(map(str, keys)))[:, 0].tolist()
    with dask.config.set({"dataframe.convert-string": convert}):
        assert placed(as_objects(keys), "key", NODES)["node"].tolist() == expected
    column = pa.array([key.bytes for key in keys], pa.uuid())
    typed = frame(key=pd.Series(pd.arrays.ArrowExtensionArray(column)))
    assert placed(typed, "key", NODES)["node"].tolist() == expected


def test_objects_are_taken_one_by_one() -> None:
    keys = ["a", b"\xff", 7, -1, None, float("nan")]
    with dask.config.set({"dataframe.convert-string": False}):
        answer = placed(as_objects(keys), "key", NODES)["node"]
    assert answer[:4].tolist() == rvh.select_batch(NODES, keys[:4])[:, 0].tolist()
    assert answer[4:].isna().all()


@pytest.mark.parametrize(
    "values", [[True], [1.5], [pd.Timestamp(0)], [datetime.date(2024, 1, 2)], [Decimal(1)]]
)
def test_objects_without_bytes(values: list[Any]) -> None:
    with (
        dask.config.set({"dataframe.convert-string": False}),
        pytest.raises(rvh.RVHTypeError, match=r"column 'key': key at position 0 .*cast"),
    ):
        placed(as_objects(values), "key", NODES)


def test_periods_are_refused_before_anything_runs() -> None:
    df = frame(key=pd.period_range("2024", periods=3, freq="M"))
    with pytest.raises(rvh.RVHTypeError, match=r"'pandas\.period'.*astype\(str\)"):
        with_node(df, "key", NODES)
    cast = df.assign(key=df["key"].astype(str))
    expected = rvh.select_batch(NODES, ["2024-01", "2024-02", "2024-03"])[:, 0].tolist()
    assert placed(cast, "key", NODES)["node"].tolist() == expected


# -- the keys of tests/integrations/test_same_nodes.py -------------------------------------------


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # Dask's own use of pandas
@pytest.mark.parametrize("kind", same_keys.KINDS)
def test_the_same_nodes_as_everywhere(kind: str, tmp_path: Path) -> None:
    df = dd.read_parquet(same_keys.parquet(kind, tmp_path), split_row_groups=True)
    assert df.npartitions > 1
    if kind == "date":
        df = df.assign(day=df["day"].astype(str))
    found = placed(df, same_keys.key(kind), same_keys.NODES)
    assert same_keys.in_order(found["row"], found["node"]) == same_keys.nodes(kind)


# -- placements, composite keys, named columns --------------------------------------------------


def table() -> Any:
    df = pd.DataFrame({"text": TEXT, "number": NUMBERS, "place": GEOHASHES})
    return dd.from_pandas(df.astype({"number": "Int64"}), npartitions=4)


def lists(answers: Any, k: int) -> list[Any]:
    return [
        (None if row is pd.NA or row is None else [row]) if k == 1 else
        (None if not isinstance(row, (list, np.ndarray)) else list(row))
        for row in answers
    ]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in PLACEMENTS if "own" not in name])
def test_placements(name: str) -> None:
    placement, k, options, answer = PLACEMENTS[name]
    found = placed(table(), "text", placement, k, **options)["node"]
    assert lists(found, k) == expected(answer, TEXT)
    if name not in OF_OTHER_SYSTEMS:
        found = placed(table(), ["number", "text"], placement, k, **options)["node"]
        assert lists(found, k) == expected(answer, NUMBERS, TEXT)


def test_a_placement_on_workers(client: Any) -> None:
    placement, k, options, answer = PLACEMENTS["FaultSet, spread"]
    found = with_node(table(), ["number", "text"], placement, k, **options).compute()["node"]
    assert lists(found, k) == expected(answer, NUMBERS, TEXT)
    found = with_node(table(), "text", GEO, 2, geohash="place").compute()["node"]
    assert lists(found, 2) == near(2)


def test_named_columns() -> None:
    found = placed(table(), "text", IDS, 2, as_columns=True)
    assert list(found.columns[-2:]) == ["node_1", "node_2"]
    best = expected(lambda keys: rvh.select_batch(IDS, keys, 2), TEXT)
    for rank, name in enumerate(["node_1", "node_2"]):
        assert lists(found[name], 1) == [None if row is None else [row[rank]] for row in best]


def test_structs() -> None:
    struct = pa.StructArray.from_arrays([pa.array(TEXT), pa.array(NUMBERS)], names=["a", "b"])
    df = frame(key=pd.Series(pd.arrays.ArrowExtensionArray(struct)))
    best = expected(lambda keys: rvh.select_batch(IDS, keys), TEXT, NUMBERS)
    assert lists(placed(df, "key", IDS)["node"], 1) == best


def test_a_placement_that_does_not_travel() -> None:
    class Local:
        ids = ("a",)

        def select_batch(self, keys: Any, k: int) -> Any:
            return [["a"] for _ in keys]

        def __reduce__(self) -> Any:
            raise TypeError("of this process")

    with pytest.raises(rvh.RVHTypeError, match=r"a Local, which cannot go .*of this process"):
        with_node(table(), "text", Local())


# -- each node's rows in one partition ----------------------------------------------------------


def nodes_of_partitions(df: Any) -> list[list[Any]]:
    found = []
    for number in range(df.npartitions):
        nodes = df.get_partition(number).compute(scheduler="sync")["node"]
        found.append(sorted(nodes.dropna().unique()) + ([None] if nodes.isna().any() else []))
    return found


def test_each_node_has_a_partition() -> None:
    nodes = [f"node-{n:02}" for n in range(12)]
    keys = pd.DataFrame({"key": np.arange(5000)}, index=np.arange(5000, 10000))
    df = dd.from_pandas(keys, npartitions=5)
    found = partition_by_node(df, "key", nodes)
    assert found.columns.tolist() == ["key", "node"]
    assert nodes_of_partitions(found) == [[node] for node in nodes]
    back = found.compute(scheduler="sync").sort_index()
    assert back.index.equals(keys.index)
    assert back["key"].tolist() == keys["key"].tolist()
    assert back["node"].tolist() == rvh.select_batch(nodes, np.arange(5000))[:, 0].tolist()


def test_a_node_without_keys_has_an_empty_partition() -> None:
    found = partition_by_node(frame(key=["x", "y"]), "key", NODES, weights=[0, 1, 0, 0, 0])
    assert nodes_of_partitions(found) == [[], ["b"], [], [], []]


@pytest.mark.parametrize("null_keys", ["keep", "drop"])
def test_rows_without_a_node(null_keys: Any) -> None:
    df = frame(key=["x", None, "y", None])
    found = partition_by_node(df, "key", NODES, null_keys=null_keys)
    parts = nodes_of_partitions(found)
    assert len(parts) == 5 + (null_keys == "keep")
    assert [node for part in parts[:5] for node in part] == sorted(
        {rvh.rendezvous_hash(NODES, key)[0] for key in "xy"}
    )
    assert parts[5:] == ([[None]] if null_keys == "keep" else [])
    assert len(found.compute(scheduler="sync")) == (4 if null_keys == "keep" else 2)


def test_rows_without_a_node_are_an_error() -> None:
    df = partition_by_node(frame(key=["x", None]), "key", NODES)
    with pytest.raises(rvh.RVHError, match=r"is null, so it has no node: .*null_keys="):
        df.compute(scheduler="sync")
    with pytest.raises(rvh.RVHError, match="null_keys is 'ignore'"):
        partition_by_node(frame(key=["x"]), "key", NODES, null_keys="ignore")


def test_partitions_on_a_cluster(client: Any, million: Million) -> None:
    found = partition_by_node(read_million(million, 8), "key", million.nodes)
    counts = found.map_partitions(lambda part: part["node"].value_counts()).compute()
    assert sorted(counts.index) == list(million.nodes)  # each in one partition
    assert counts.sum() == len(million.keys)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # in Dask's to_parquet
def test_the_page(tmp_path: Path) -> None:
    assert run_page("how-to/engines/dask.md", tmp_path, {}) == 4
