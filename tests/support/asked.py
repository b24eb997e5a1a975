"""The vectors, and what rvh's public functions say to their questions.

`RVH[kind](case)` asks rvh what a case asks, and compares every answer that it can give.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
import reference
from folders import GOLDEN
from golden import check, make_vectors

import rvh
import rvh.geohash
import rvh.ring
from rvh import stable
from rvh.balanced import BalancedAssigner, argassign_balanced, capacities
from rvh.faultset import FaultSet
from rvh.keys import composite, key_bytes
from rvh.migration import Migration
from rvh.partitions import PartitionTable
from rvh.ring import Ring
from rvh.weighted import weights_from

Row = dict[str, Any]
VECTORS = GOLDEN / "vectors"
FILES = {
    path.name: json.loads(path.read_bytes())
    for path in sorted(VECTORS.glob("*.json"))
    if path.name != "schema.json"
}
CASES = [(name, case) for name, file in FILES.items() for case in file["cases"]]


def value_of(tagged: Row) -> Any:
    """What a Python program has where the files have a tagged value."""
    ((kind, it),) = tagged.items()
    if kind == "parts":
        return composite(*map(value_of, it))
    read: dict[str, Callable[[str], Any]] = {
        "str": str,
        "bytes": bytes.fromhex,
        "int": int,
        "uuid": UUID,
    }
    return read[kind](it)


def values_of(tagged: list[Row]) -> list[Any]:
    return list(map(value_of, tagged))


def node_set(given: Row, **options: Any) -> rvh.NodeSet:
    weights = given.get("weights_bits")
    return rvh.NodeSet(
        values_of(given["nodes"]),
        scheme=given["scheme"],
        secret=bytes.fromhex(given.get("secret_hex", "")),
        weights=None if weights is None else list(map(check.double, weights)),
        **options,
    )


def keys_of(case: Row) -> list[Any]:
    return [value_of(row["key"]) for row in case["rows"]]


def column(case: Row, stage: str) -> list[Any]:
    return [row[stage] for row in case["rows"]]


def scores_of(nodes: rvh.NodeSet, keys: list[Any]) -> list[list[int]]:
    """Scores as numbers, of a set without weights."""
    found = nodes.score_batch(keys).tolist()
    if nodes.scheme == "murmur":
        return found
    return [[high << 64 | low for high, low in row] for row in found]


# -- the sections, as rvh answers them ------------------------------------------------------------


def rvh_value(case: Row) -> None:
    values = [value_of(row["value"]) for row in case["rows"]]
    assert [key_bytes(value).hex() for value in values] == column(case, "key_hex")


def rvh_hash(case: Row) -> None:
    data = [bytes.fromhex(row.get("data_hex", "")) for row in case["rows"]]
    name = case["hash"]
    if "person" in case:  # messages of fingerprints, which rvh gives elsewhere
        known = {
            row["fingerprint_hex"]
            for each in FILES["fingerprints.json"]["cases"]
            for row in each["rows"]
        }
        assert known.issuperset(column(case, "digest_hex"))
        return
    if name == "blake2b":  # of node and key, wherever the message is parted
        secret = bytes.fromhex(case["secret_hex"])
        for each, digest in zip(data, column(case, "digest_hex"), strict=True):
            if each:
                nodes = rvh.NodeSet([each[:1]], secret=secret)
                assert scores_of(nodes, [each[1:]]) == [[int(digest, 16)]]
        return
    found = list(map(int, column(case, "hash_value")))
    if name in check.TOKENS:
        ring = Ring.from_tokens({"a": [0]}, name)
        assert ring.token_batch(data).tolist() == found
    elif name == "murmur64a":
        seed = int(case["seed"])
        assert [reference.murmur64a(each, seed) for each in data] == found
        if seed == check.KEY_SEED:
            same = rvh.NodeSet(["a"])
            assert Migration(same, same).crossing_batch(data).tolist() == found
    elif name == "hash128to64":
        pairs = [(int(row["low"]), int(row["high"])) for row in case["rows"]]
        assert [reference.hash128to64(*pair) for pair in pairs] == found
    else:
        assert name == "splitmix64"
        for row in case["rows"]:
            numbers = reference.splitmix64(int(row["seed"]))
            outputs = [next(numbers) for _ in range(row["number"])]
            assert str(outputs[-1]) == row["hash_value"]


def rvh_score(case: Row) -> None:
    for row in case["rows"]:
        nodes = node_set({**case, "nodes": [row["node"]]})
        assert scores_of(nodes, [value_of(row["key"])]) == [[int(row["score"])]]


def rvh_logarithm(case: Row) -> None:
    """A key's low bits of the score on a node are m, as every key of 8 bytes can be made."""
    keys = [make_vectors.key_scoring(b"a", int(row["m"])) for row in case["rows"]]
    weights = np.array([check.double(row["weight_bits"]) for row in case["rows"]])
    weighted = [check.double(row["weighted_bits"]) for row in case["rows"]]
    for weight in set(weights.tolist()):
        nodes = rvh.NodeSet(["a", "b"], weights=[weight, 1.0], scheme="murmur")
        found = nodes.score_batch(keys)[:, 0]
        rows = np.flatnonzero(weights == weight)
        assert found[rows].tolist() == [weighted[row] for row in rows.tolist()]


def rvh_ranking(case: Row) -> None:
    nodes, keys = node_set(case["set"]), keys_of(case)
    rankings = column(case, "ranking")
    for k in {1, len(rankings[0])}:
        assert nodes.argselect_batch(keys, k).tolist() == [row[:k] for row in rankings]
    plain = scores_of(nodes.with_weights(None), keys)
    assert [list(map(str, row)) for row in plain] == column(case, "scores")
    if nodes.weights is not None:
        weighted = [list(map(check.double, row)) for row in column(case, "weighted_bits")]
        assert nodes.score_batch(keys).tolist() == weighted


def rvh_weights(case: Row) -> None:
    for row in case["rows"]:
        measures = {
            name: [None if it is None else check.double(it) for it in row[f"{name}_bits"]]
            for name in check.MEASURES
            if f"{name}_bits" in row
        }
        bounds = tuple(map(check.double, row.get("bounds_bits", ()))) or None
        exponents = {name: check.double(it) for name, it in row.get("exponents_bits", {}).items()}
        found = weights_from(**measures, exponents=exponents or None, bounds=bounds)
        assert list(map(check.bits, found.tolist())) == row["weights_bits"]


def rvh_partition(case: Row) -> None:
    nodes, keys, count = node_set(case["set"]), keys_of(case), case["partitions"]
    partitions, owners = column(case, "partition"), column(case, "owners")
    assert nodes.argselect_batch(partitions, case["k"]).tolist() == owners
    if count <= 1000:
        table = PartitionTable(nodes, count, k=case["k"])
        assert table.partition_batch(keys).tolist() == partitions
        assert table.arglookup_batch(keys).tolist() == owners
    elif rvh.backend() == "native":
        assert large_table(count).partition_batch(keys).tolist() == partitions


@cache
def large_table(count: int) -> PartitionTable:
    return PartitionTable(["a"], count)


def fault_set(case: Row) -> tuple[FaultSet, Row]:
    nodes = node_set(
        case["set"], domains={name: values_of(each) for name, each in case["domains"].items()}
    )
    alive = np.ones(len(nodes), dtype=np.bool_)
    alive[case["dead"]] = False
    spread = {"spread": case["spread"], "max_per_domain": case["most"]} if case["spread"] else {}
    return FaultSet(nodes, alive=alive), {"k": case["k"], **spread}


def rvh_replicas(case: Row) -> None:
    faults, options = fault_set(case)
    found = faults.argselect_batch(keys_of(case), **options)
    assert found.nodes.tolist() == column(case, "nodes")
    assert found.degraded.tolist() == column(case, "degraded")
    ranked = column(case, "living")
    assert faults.argselect_batch(keys_of(case), len(ranked[0])).nodes.tolist() == ranked


def rvh_repair(case: Row) -> None:
    faults, options = fault_set(case)
    for row in case["rows"]:
        current = [[-1 if n is None else n for n in row["current"]]]
        found = faults.argrepair([value_of(row["key"])], current, **options)
        assert found.nodes[0].tolist() == row["nodes"]
        assert found.degraded[0] == row["degraded"]
        assert found.added[0].tolist() == row["added"]
        assert found.dropped[0].tolist() == row["dropped"]


def rvh_batch(case: Row) -> None:
    nodes = node_set(case["set"])
    for row in case["rows"]:
        keys, sizes = values_of(row["keys"]), check.sizes_of(row)
        factor = float(row["load_factor"])
        assert argassign_balanced(nodes, keys, factor, sizes=sizes).tolist() == row["owners"]
        if sizes is None:
            room = capacities(nodes, len(keys), factor).tolist()
            assert list(map(str, room)) == row["capacities"]


def rvh_assigner(case: Row) -> None:
    for row in case["rows"]:
        nodes = node_set(case["set"])
        assigner = BalancedAssigner(nodes, float(case["load_factor"]))
        for step, answer in zip(row["steps"], row["answers"], strict=True):
            before = id_places(assigner.nodes)
            moves = None
            if "assign" in step:
                sizes = check.sizes_of(step)
                found = assigner.assign_batch(values_of(step["assign"]), sizes=sizes)
                places = id_places(assigner.nodes)
                assert [places[key_bytes(node)] for node in found.tolist()] == answer["owners"]
            elif "release" in step:
                assigner.release(values_of(step["release"]))
            elif "update" in step:
                moves = assigner.update(node_set(step["update"]))
            else:
                moves = assigner.rebalance()
            after = id_places(assigner.nodes)
            if moves is not None:
                said = [
                    [key_bytes(key).hex(), before[key_bytes(one)], after[key_bytes(two)]]
                    for key, one, two in zip(
                        moves.key, moves.source.tolist(), moves.target.tolist(), strict=True
                    )
                ]
                assert sorted(said) == answer["moves"]
            loads = [float(Fraction(load)) for load in answer["loads"]]
            assert assigner.sizes.tolist() == loads


def id_places(nodes: rvh.NodeSet) -> dict[bytes, int]:
    return {key_bytes(node): place for place, node in enumerate(nodes.ids.tolist())}


def rvh_geohash(case: Row) -> None:
    for row in case["rows"]:
        place = check.double(row["latitude_bits"]), check.double(row["longitude_bits"])
        assert rvh.geohash.encode(*place, row["precision"]) == row["geohash"], place


def rvh_nearest(case: Row) -> None:
    geo = rvh.geohash.GeoSet(
        node_set(case["set"]), geohash=case["geohashes"], precision=case["precision"]
    )
    rankings = column(case, "ranking")
    for k in {1, 2, len(rankings[0])}:
        found = geo.argselect_batch(keys_of(case), k, geohash=column(case, "geohash"))
        assert found.tolist() == [row[:k] for row in rankings]


def rvh_buckets(case: Row) -> None:
    keys, count, k = keys_of(case), case["buckets"], case["k"]
    jumps = column(case, "jump")
    assert stable.jump_batch(keys, count).tolist() == [row[0] for row in jumps]
    assert stable.jumpback_batch(keys, count).tolist() == column(case, "jumpback")
    assert [str(rvh.keys.key_word(key)) for key in keys] == column(case, "word")
    if count <= 1000:  # as many as can be named here
        selector = stable.StableSelector([f"bucket{n}" for n in range(count)])
        assert selector.argselect_batch(keys, k).tolist() == jumps


#: a system's name in the files -> the function that makes its ring, and its options
RINGS: dict[str, tuple[Callable[..., Ring], Row]] = {
    "ketama": (rvh.ring.ketama, {}),
    "libmemcached": (rvh.ring.libmemcached, {}),
    "libmemcached-ketama": (rvh.ring.libmemcached, {"behavior": "ketama"}),
    "libmemcached-md5": (rvh.ring.libmemcached, {"behavior": "ketama", "hash_fn": "md5"}),
    "nginx": (rvh.ring.nginx, {}),
    "uhashring": (rvh.ring.uhashring, {}),
    "uhashring-ketama": (rvh.ring.uhashring, {"hash_fn": "ketama"}),
    "hash-ring": (rvh.ring.hash_ring, {}),
}


def ring_of(system: str, given: Row) -> Ring:
    make, options = RINGS[system]
    weights = list(map(check.double, given["weights_bits"]))
    return make(values_of(given["nodes"]), weights, **options, integers="contract")


def tokens_of(points: list[Any], names: list[Any]) -> dict[Any, list[int]]:
    """The tokens of each node that has some."""
    return {
        name: tokens
        for n, name in enumerate(names)
        if (tokens := [int(token) for token, node in points if node == n])
    }


def rvh_counts(case: Row) -> None:
    """Points tell how many hashes they were made of, but for those that two nodes share."""
    each = {"ketama": 4, "libmemcached": 4, "uhashring-ketama": 4, "hash-ring": 3}
    for row in case["rows"]:
        nodes = [{"str": f"10.0.0.{n}:80"} for n in range(len(row["weights_bits"]))]
        ring = ring_of(case["system"], {"nodes": nodes, **row})
        many = each.get(case["system"], 1)
        if case["system"].startswith("libmemcached-") and row["counts"][0] != 100:
            many = 4
        points = np.bincount(ring.owners, minlength=len(nodes))
        lost = many * np.array(row["counts"]) - points
        assert (lost >= 0).all()
        assert lost.sum() <= 2 + len(ring) ** 2 / 2**31


def rvh_points(case: Row) -> None:
    for row in case["rows"]:
        ring = ring_of(case["system"], row)
        found = zip(map(str, ring.tokens.tolist()), ring.owners.tolist(), strict=True)
        assert list(map(list, found)) == row["points"]


def rvh_ring_key(case: Row) -> None:
    ring = Ring.from_tokens({"a": [0]}, "md5", integers=case["integers"], tag=case.get("tag"))
    hashed = [check.TOKENS["md5"](bytes.fromhex(each)) for each in column(case, "data_hex")]
    assert [ring.token(key) for key in keys_of(case)] == hashed


def rvh_lookup(case: Row) -> None:
    if "system" in case:
        ring = ring_of(case["system"], case)
    else:
        names = [f"node-{n}" for n in range(1 + max(node for _, node in case["points"]))]
        options: Row = {"hit": case["hit"], "integers": "contract"}
        ring = Ring.from_tokens(tokens_of(case["points"], names), case["hash"], **options)
    tokens_asked = [int(row["token"]) for row in case["rows"]]
    owners = column(case, "owners")
    assert ring.arglookup_tokens(tokens_asked, case["k"]).tolist() == owners
    with_keys = [row for row in case["rows"] if "key" in row]
    if with_keys:
        keys = keys_of({"rows": with_keys})
        assert list(map(str, ring.token_batch(keys).tolist())) == [it["token"] for it in with_keys]
        assert ring.arglookup_batch(keys, case["k"]).tolist() == [it["owners"] for it in with_keys]


def rvh_crossing(case: Row) -> None:
    same, keys = rvh.NodeSet(["a"]), keys_of(case)
    migration = Migration(same, same)
    crossing = migration.crossing_batch(keys).tolist()
    assert list(map(str, crossing)) == column(case, "crossing")
    progress = check.double(case["progress_bits"])
    assert migration.crossed_batch(keys, progress).tolist() == column(case, "crossed")
    assert migration.plan(case["steps"]).steps_of(keys).tolist() == column(case, "step")


def rvh_moves(case: Row) -> None:
    old, new, keys = node_set(case["old"]), node_set(case["new"]), keys_of(case)
    assert old.argselect_batch(keys, case["k"]).tolist() == column(case, "old_owners")
    assert new.argselect_batch(keys, case["k_new"]).tolist() == column(case, "new_owners")
    found = Migration(old, new, case["k"], k_new=case["k_new"]).moves(keys)
    sources, targets = id_places(old), id_places(new)
    said: list[list[list[int]]] = [[] for _ in keys]
    for row, source, target in zip(found.row, found.source, found.target, strict=True):
        said[row].append([sources[key_bytes(source)], targets[key_bytes(target)]])
    assert said == column(case, "moves")


def rvh_fingerprint(case: Row) -> None:
    for row in case["rows"]:
        assert node_set(row["set"]).fingerprint == row["fingerprint_hex"]


def rvh_ring_fingerprint(case: Row) -> None:
    names = values_of(case["nodes"])
    for row in case["rows"]:
        options = {"integers": row.get("integers"), "tag": row.get("tag"), "hit": row["hit"]}
        tokens = tokens_of(row["points"], names)
        ring = Ring.from_tokens(tokens, row["hash"], **options)
        assert ring.fingerprint == row["fingerprint_hex"]


def rvh_faultset_fingerprint(case: Row) -> None:
    for row in case["rows"]:
        faults, _ = fault_set({**case, **row, "k": 1})
        if row["spread"]:
            faults = faults.with_spread(row["spread"], row["most"])
        assert faults.fingerprint == row["fingerprint_hex"]


def rvh_migration_fingerprint(case: Row) -> None:
    old, new = node_set(case["old"]), node_set(case["new"])
    for row in case["rows"]:
        placed = Migration(old, new, row["k"]).at(check.double(row["progress_bits"]))
        assert placed.fingerprint == row["fingerprint_hex"]


def ask_ring(asked: Row) -> None:
    names = [f"node-{n}" for n in range(len(asked["points"]))]
    ring = Ring.from_tokens(tokens_of(asked["points"], names), asked["hash"], hit=asked["hit"])
    ring.lookup("key", asked["k"])


def ask_table(asked: Row) -> None:
    if rvh.backend() == "native" or asked["refused"]:  # 2^24 partitions take Python minutes
        large_table(asked["partitions"])


def ask_ring_key(asked: Row) -> None:
    Ring.from_tokens({"a": [0]}, "md5", integers=asked["integers"]).token(value_of(asked["key"]))


def ask_place(asked: Row) -> None:
    place = check.double(asked["latitude_bits"]), check.double(asked["longitude_bits"])
    rvh.geohash.encode(*place, asked["precision"])


def ask_balanced(asked: Row) -> None:
    keys, factor = values_of(asked["keys"]), float(asked["load_factor"])
    argassign_balanced(node_set(asked["set"]), keys, factor, sizes=check.sizes_of(asked))


#: what would be asked -> how
ASK: dict[str, Callable[[Row], object]] = {
    "value": lambda asked: key_bytes(value_of(asked["value"])),
    "ranking": lambda asked: node_set(asked["set"]).select(value_of(asked["key"]), asked["k"]),
    "partition": ask_table,
    "lookup": ask_ring,
    "ring_key": ask_ring_key,
    "geohash": ask_place,
    "batch": ask_balanced,
}


def rvh_refused(case: Row) -> None:
    for row in case["rows"]:
        try:
            ASK[case["as"]]({**case, **row})
        except rvh.RVHError:
            assert row["refused"], row
        else:
            assert not row["refused"], row


RVH: dict[str, Callable[[Row], None]] = {
    name.removeprefix("rvh_"): found
    for name, found in list(globals().items())
    if name.startswith("rvh_")
}
