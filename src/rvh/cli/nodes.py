"""The options --nodes and --dead: ids in a list, @ and a file of them, or a source."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rvh._nodelist.columns import Columns
from rvh._nodelist.doubts import doubt
from rvh._nodelist.entries import Entry, NodeList, node_list
from rvh._nodelist.files import read_file, source_name
from rvh._tables import compression_of, format_of
from rvh.cli.sources import NO_SOURCE, Taken, entries, no_source, path_of, source_url, take
from rvh.cli.values import refuse_no_text
from rvh.errors import RVHError, show

#: the options that name all nodes of a placement, and so may name a source
NODES = ("--nodes", "--to")

#: what to say of a column that many would expect to count
UNUSED_WEIGHT = "column weight of {} is not used (--weight-column weight)"


def read_nodes(
    texts: Sequence[str],
    column: str | None = None,
    weight_column: str | None = None,
    *,
    attributes: Mapping[str, str] | None = None,
    option: str = "--nodes",
    format_name: str | None = None,
    header: bool = True,
) -> NodeList:
    """Read the nodes that a ``--nodes`` option, or one like it, names.

    Parameters
    ----------
    texts : sequence of str
        Each is ids separated by commas, a JSON list of them, or ``@`` and the path of a file
        (``@-`` is stdin), or with ``--nodes`` the URL of a source. They add up.
    column : str, optional
        The files' column that holds the ids; the first one by default.
    weight_column : str, optional
        The column that holds the weights; without one there are none, but for those that the
        nodes of sources have.
    attributes : mapping of str to str, optional
        Further columns, and the option that names each. Their values stay as they are in the file.
    option : str
        The option's name in errors. Where it is ``--nodes``, one name alone is an error: a file
        may be meant, and the name would be that of the node that gets every key.
    format_name : str, optional
        The files' format; by default their extensions tell it.
    header : bool
        Whether CSV and TSV have a header; else their columns are called 1, 2, ...

    Returns
    -------
    NodeList

    Raises
    ------
    RVHError
        An empty or repeated id, one that is doubtful, a wrong weight (with its place), a file or
        column that cannot be used.

    Examples
    --------
    >>> read_nodes(["node1,node2"]).ids
    ['node1', 'node2']
    >>> read_nodes(['["node 1", "b,c"]', "node2"]).ids
    ['node 1', 'b,c', 'node2']
    """
    others = {} if weight_column is None else {weight_column: "--weight-column"}
    for name, namer in (attributes or {}).items():
        others.setdefault(name, namer)  # a column of weights that is named twice stays one
    columns = Columns(option, column, weight_column, others, format_name, header)
    urls = source_urls(texts, option)
    is_file = [text.startswith("@") and text not in urls for text in texts]
    if any(not text.startswith("@") and text not in urls for text in texts):
        _refuse(columns.file_options(), option, "a list")
    elif not any(is_file):
        about_files = replace(columns, others={})
        _refuse(about_files.file_options(), option, "a source")
    taken = {text: take(text, url, weight_column is None) for text, url in urls.items()}
    if any(each.is_weighted for each in taken.values()):
        _refuse_some_weights(texts, taken)
        others = {"weight": "--weight-column", **others}
        columns = replace(columns, weight="weight", others=others)
    made = node_list(_entries(texts, columns, taken), columns)
    notes = [each.note(columns.weight) for each in taken.values()]
    if option in NODES:
        notes += [UNUSED_WEIGHT.format(source) for source in columns.unused]
    return made._replace(
        note="; ".join(notes),
        absent=frozenset(
            node.id
            for each in taken.values()
            for node in each.snapshot.members
            if not node.rule.selectable
        ),
    )


def source_urls(texts: Sequence[str], option: str = "--nodes") -> dict[str, str]:
    """The texts of such an option that name sources, and the URL of each."""
    if option not in NODES:
        return {}
    found = {text: source_url(text, len(texts) == 1) for text in texts}
    urls = {text: url for text, url in found.items() if url is not None}
    if sum(text in urls for text in texts) > len(urls):
        raise RVHError(f"one source is given twice with {option}: ids are unique")
    return urls


def _refuse(options: Iterable[str], option: str, what: str) -> None:
    """Refuse options about a node file where there is none."""
    advice = f"write the nodes into a file and give {option} @FILE, or " * (what == "a list")
    for given in options:
        whole_file = given in ("--no-node-header", "--node-format")
        about = "is about" if whole_file else "names a column of"
        raise RVHError(f"{given} {about} a node file, but {option} is {what}: {advice}omit {given}")


def _refuse_some_weights(texts: Sequence[str], taken: Mapping[str, Taken]) -> None:
    """Refuse weights that only some of the nodes have: nobody said what the others weigh."""
    having = next(each.name for each in taken.values() if each.is_weighted)
    for text in texts:
        if text not in taken or not taken[text].is_weighted:
            other = taken[text].name if text in taken else f"--nodes {text}"
            raise RVHError(
                f"the nodes of {having} have weights, and those of {other} have none: give every "
                "node a weight, and for a file also --weight-column weight; or omit one of them"
            )


def paths(texts: Sequence[str], option: str = "--nodes") -> list[str]:
    """The paths that such an option names, ``-`` for stdin."""
    urls = source_urls(texts, option)
    files = [text[1:] for text in texts if text.startswith("@") and text not in urls]
    return files + [path for url in urls.values() if (path := path_of(url)) is not None]


def _entries(texts: Sequence[str], columns: Columns, taken: Mapping[str, Taken]) -> Iterator[Entry]:
    option = columns.option
    is_alone = len(texts) == 1 and option in NODES
    count = 0  # of all lists of the option
    for text in texts:
        if text in taken:
            yield from entries(taken[text], columns)
            continue
        if not text.startswith("@"):
            for node in _listed(text, option, count, is_alone):
                count += 1
                yield Entry(node, option, f"entry {count}")
            continue
        path = text[1:]
        if not path:
            raise RVHError(f"{option} @ names no file: write @FILE, or @- for stdin")
        if path != "-":
            _refuse_missing(path, option)
        empty = True
        for entry in read_file(path, columns):
            yield entry
            empty = False
        if empty:
            raise _no_nodes(source_name(path), option)


def _no_nodes(source: str, option: str) -> RVHError:
    advice = "give at least one node id"
    if option == "--dead":
        advice = "omit --dead if no node is dead"
    return RVHError(f"{source}: there are no nodes: {advice}")


def _refuse_missing(path: str, option: str) -> None:
    """Raise the error about a file that is not there, with what may have been meant."""
    try:
        os.stat(path)
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        return  # the reader raises an error of its own
    else:
        return
    hint = ""
    if path.startswith("~"):
        hint = f', and the shell does not expand ~ after @: write {option} @"$HOME"/...'
    elif "," in path:
        hint = f": give {option} once for each file or list"
    elif scheme := no_source(path):
        raise RVHError(f"{option} @{scheme}... {NO_SOURCE}")
    elif any(sign in path for sign in "*?["):
        hint = f", and patterns are not expanded here: give {option} once for each file"
    elif path != path.strip():
        hint = ", and the name begins or ends with a blank"
    raise RVHError(f"{option} @{path}: No such file or directory{hint}") from None


def _listed(text: str, option: str, before: int, is_alone: bool) -> list[str]:
    """The ids in a list on the command line, `before` of which were in other lists."""
    if re.match(r"\s*\[\s*(\"|\]\s*$)", text):
        return _json_list(text, option)
    entries = text.split(",")
    whole = json.dumps(entries, ensure_ascii=False)  # the whole list, to be pasted
    if len(whole) > 200:
        whole = json.dumps(["ID", "ID"])
    as_json = f"{option} {shlex.quote(whole)}"

    for number, entry in enumerate(entries, before + 1):
        where = f"{option} entry {number}"
        if entry.startswith("@"):
            raise RVHError(
                f"{where} is {show(entry)}, which would be a file: give {option} once more for it, "
                f"as {option} {entry}"
            )
        refuse_no_text(entry, where)
        if reason := doubt(entry):
            raise RVHError(
                f"{where} is {show(entry)}, which {reason}: separate ids by commas and nothing "
                f"else; to keep an id as it is, write JSON: {as_json}"
            )
        if len(entries) > 1 and entry and _is_file(entry):
            raise RVHError(
                f"{where} is the name of a file, {entry}: write {option} @{entry} for the nodes in "
                f"it, and {option} once for each file; if it is a node, write JSON: {as_json}"
            )
    if len(entries) == 1 and text:
        _refuse_file_name(text, option, as_json, is_alone)
    return entries


def _json_list(text: str, option: str) -> list[str]:
    try:
        ids = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RVHError(f"{option} begins like a JSON list, but is not one: {error}") from None
    if not ids:
        raise _no_nodes(f"{option} []", option)
    return list(ids)


def _refuse_file_name(text: str, option: str, as_json: str, is_alone: bool) -> None:
    """Refuse a name that may be a file's, as any may that stands alone."""
    if is_alone and (scheme := no_source(text)):
        raise RVHError(
            f"{option} {scheme}... is one name alone, which could be a source or a node, but "
            f"{scheme} {NO_SOURCE}; for a node of that name write JSON, {option} "
            f"'[\"{scheme}...\"]'"
        )
    if is_alone and text.startswith("file:") and not text.startswith("file://"):
        url = Path(text[5:]).absolute().as_uri()
        raise RVHError(
            f"{option} {text} could be a source or a node: write {option} {shlex.quote(url)} for "
            f"the nodes in that document, or {as_json} for the node of that name"
        )
    is_there = _is_file(text)
    looks = format_of(text) or compression_of(text) or text.startswith((".", "/", "~"))
    if is_alone and ("/" in text or os.sep in text) and "://" not in text:
        looks = True
    if is_there:
        what = f"{option} {text} is the name of a file"
    elif looks:
        what = f"{option} {text} looks like a file, but there is none of that name"
    elif is_alone:
        what = f"{option} {text} is one name alone, which could be a file or a node"
    else:
        return
    file = f"@{text}" if is_there or not looks else "@FILE"
    raise RVHError(
        f"{what}: write {option} {file} for the nodes in a file, or {as_json} for the node "
        "of that name"
    )


def _is_file(name: str) -> bool:
    """Check whether there is something to read: a file, or a pipe as ``<(...)`` is in a shell."""
    return os.path.exists(name) and not os.path.isdir(name)
