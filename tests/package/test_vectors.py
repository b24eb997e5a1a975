"""The vectors for other languages: rvh gives what they say, and so does `check.py`.

The maker and `check.py` are one program, so that both agree proves little. What proves something
stands here: rvh's public functions, and the reference, which shares no code with either.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asked import CASES, FILES, RVH, VECTORS, Row, column
from folders import GOLDEN
from golden import check, make_vectors


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{name}: {case['name']}") for name, case in CASES]
)
def test_rvh_gives_what_the_vectors_say(case: Row) -> None:
    if "geohash" in (case["kind"], case.get("as")):
        pytest.importorskip("pygeohash", reason="pygeohash is not installed")
    RVH[case["kind"]](case)


# -- the files ------------------------------------------------------------------------------------


def test_the_contract_in_plain_python_gives_what_the_vectors_say() -> None:
    command = [sys.executable, "-I", str(GOLDEN / "check.py")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = {name: sum(len(case["rows"]) for case in file["cases"]) for name, file in FILES.items()}
    assert found.stdout.splitlines() == [f"{name}: {count} rows" for name, count in rows.items()]
    assert (found.returncode, found.stderr) == (0, "")


def test_the_contract_in_plain_python_needs_the_standard_library_alone() -> None:
    tree = ast.parse((GOLDEN / "check.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "a relative import"]
        )
    }
    assert imported - sys.stdlib_module_names == set()


@pytest.mark.parametrize("name", FILES)
def test_a_difference_is_named_with_file_row_and_stage(name: str, tmp_path: Path) -> None:
    """Every stage of every kind is looked at: one that is wrong is found."""
    file = FILES[name]
    first = {case["kind"]: case for case in file["cases"]}
    for kind, case in first.items():
        row = case["rows"][0]
        asked = {**{k: v for k, v in case.items() if k != "rows"}, **row}
        for stage in check.ANSWERS[kind](asked):
            wrong = {**file, "cases": [{**case, "rows": [{**row, stage: "wrong"}]}]}
            path = tmp_path / name
            path.write_text(json.dumps(wrong))
            (difference,) = check.differences(wrong["cases"])
            assert f"row 0, {stage}: recorded 'wrong'" in difference
    found = subprocess.run(
        [sys.executable, str(GOLDEN / "check.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert found.stdout.startswith(f"{name}: 1 rows\n{name}: case ")


def shape(value: Any) -> Any:
    """What a schema sees of a value: equal for rows that differ in their digits alone."""
    if isinstance(value, dict):
        return tuple((name, shape(each)) for name, each in value.items())
    if isinstance(value, list):
        return frozenset(map(shape, value)), len(value) > 0
    return re.sub("[0-9a-f]+", "0", value) if isinstance(value, str) else type(value)


def one_of_each_shape(rows: list[Row]) -> list[Row]:
    return list({shape(row): row for row in rows}.values())


def test_files_follow_their_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads((VECTORS / "schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for name, file in FILES.items():
        cases = [{**case, "rows": one_of_each_shape(case["rows"])} for case in file["cases"]]
        file = {**file, "cases": cases}
        assert [error.message for error in validator.iter_errors(file)] == [], name
        row = {**cases[0]["rows"][0], "surplus": 1}
        wrong = {**file, "cases": [{**cases[0], "rows": [row]}]}
        assert any(validator.iter_errors(wrong)), "a field that the schema does not know passes"


def is_json(line: str) -> bool:
    try:
        json.loads(line.removesuffix(","))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_ascii_with_one_row_a_line_and_no_floats(name: str) -> None:
    text = (VECTORS / name).read_bytes().decode("ascii")
    count = sum(len(case["rows"]) for case in FILES[name]["cases"])
    assert sum(map(is_json, text.splitlines())) == count

    def refuse(number: str) -> None:
        raise AssertionError(f"{name} has the float {number}")

    json.loads(text, parse_float=refuse)


def test_the_readme_lists_every_file_and_its_rows() -> None:
    page = (VECTORS / "README.md").read_text()
    for name, file in FILES.items():
        kinds = {case["kind"] for case in file["cases"]}
        rows = sum(len(case["rows"]) for case in file["cases"])
        assert f"| `{name}` | {rows} |" in page
        assert {kind for kind in kinds if f"`{kind}`" not in page} == set()
    assert f"| all | {sum(len(case['rows']) for _, case in CASES)} |" in page


def test_what_the_maker_asks_is_what_was_recorded(tmp_path: Path) -> None:
    for name in FILES:
        path = tmp_path / name
        path.write_text(make_vectors.written(path.stem))
        assert path.read_bytes() == (VECTORS / name).read_bytes(), name


def test_a_recorded_file_of_vectors_is_never_written_again(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    command = [sys.executable, str(GOLDEN / "make_vectors.py"), "scores", str(path)]
    subprocess.run(command, check=True)
    written = path.read_bytes()
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "FileExistsError" in refused.stderr
    assert (refused.returncode, path.read_bytes()) == (1, written)


# -- the older files, which say the same in another form ------------------------------------------


def restated(file: str) -> list[Row]:
    """The cases that restate an older file."""
    return [case for _, case in CASES if case["name"].startswith(f"{file}: ")]


def old_cases(file: str) -> list[Row]:
    return json.loads((GOLDEN / file).read_bytes())["cases"]


@pytest.mark.parametrize("file", ["blake2b.json", "murmur.json", "weighted.json", "composite.json"])
def test_older_rankings_are_restated(file: str) -> None:
    ranked = [case for case in restated(file) if case["kind"] == "ranking"]
    for case, old in zip(ranked, old_cases(file), strict=True):
        assert column(case, "ranking") == [row["ranking"] for row in old["keys"]]
        if file == "weighted.json":
            bits = [[check.bits(float.fromhex(it)) for it in row["scores"]] for row in old["keys"]]
            assert column(case, "weighted_bits") == bits
        elif file != "composite.json":
            scores = [[str(int(score, 16)) for score in row["scores"]] for row in old["keys"]]
            assert column(case, "scores") == scores


def test_older_composite_keys_are_restated() -> None:
    cases = [case for case in restated("composite.json") if case["kind"] == "value"]
    for case, old in zip(cases, old_cases("composite.json"), strict=True):
        assert column(case, "key_hex") == [row["bytes"] for row in old["keys"]]


def test_older_tokens_are_restated() -> None:
    old = json.loads((GOLDEN / "ring.json").read_bytes())["keys"]
    cases = {case["name"]: case for case in restated("ring.json") if case["kind"] == "hash"}
    for name in ("ketama", "md5", "crc32"):
        assert column(cases[f"ring.json: {name}"], "hash_value") == [row[name] for row in old]
    crossing = {case["name"]: case for case in restated("ring.json")}["ring.json: crossing"]
    assert column(crossing, "crossing") == [row["crossing"] for row in old]


def test_older_partitions_are_restated() -> None:
    for case, old in zip(restated("partitions.json"), old_cases("partitions.json"), strict=True):
        for stage in ("partition", "owners"):
            assert column(case, stage) == [row[stage] for row in old["keys"]]


def test_older_fault_sets_are_restated() -> None:
    for case, old in zip(restated("faultset.json"), old_cases("faultset.json"), strict=True):
        assert column(case, "nodes") == [row["nodes"] for row in old["keys"]]


@pytest.mark.parametrize("file", ["balanced.json", "balanced_sizes.json"])
def test_older_bounded_loads_are_restated(file: str) -> None:
    for case, old in zip(restated(file), old_cases(file), strict=True):
        assert column(case, "owners") == [old["owners"]]


def test_older_geohashes_are_restated() -> None:
    places = [case for case in restated("geohash.json") if case["kind"] == "geohash"]
    ranked = [case for case in restated("geohash.json") if case["kind"] == "nearest"]
    for place, case, old in zip(places, ranked, old_cases("geohash.json"), strict=True):
        assert column(place, "geohash") == [row["geohash"] for row in old["keys"]]
        assert column(case, "ranking") == [row["ranking"] for row in old["keys"]]


def test_older_buckets_are_restated() -> None:
    for case, old in zip(restated("stable.json"), old_cases("stable.json"), strict=True):
        for stage in ("jump", "jumpback"):
            assert column(case, stage) == [row[stage] for row in old["keys"]]


@pytest.mark.parametrize("file", ["blake2b.json", "murmur.json", "weighted.json"])
def test_older_fingerprints_are_restated(file: str) -> None:
    (case,) = (case for case in restated(file) if case["kind"] == "fingerprint")
    assert column(case, "fingerprint_hex") == [old["fingerprint"] for old in old_cases(file)]
