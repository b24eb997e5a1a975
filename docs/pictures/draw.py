"""Draw the pictures of the documentation: python docs/pictures/draw.py [FOLDER]

Where a picture shows where keys go, rvh has placed them here, so the picture is true. A test
compares the files in this folder with what the script draws. Each picture has a card of its own, so
it can be read on pages of any colour.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np

import rvh
from rvh.balanced import assign_balanced
from rvh.faultset import FaultSet
from rvh.migration import Migration, Phase
from rvh.partitions import PartitionTable
from rvh.placements import Modulo
from rvh.ring import Ring, ketama

WIDTH = 480  # of every picture: text of 15 is still 11 pixels high on a phone
#: light and dark, for nodes A to E: each with the letter on it at a contrast of 4.5 or more
COLOURS = [
    ("#0969da", "#79c0ff"),
    ("#bc4c00", "#ffa657"),
    ("#0b7a5e", "#56d3a4"),
    ("#bf3989", "#ff9bce"),
    ("#57606a", "#c9d1d9"),
]
LIGHT = {"card": "#ffffff", "rim": "#d0d7de", "ink": "#1f2328", "soft": "#59636e", "box": "#f0f3f6"}
DARK = {"card": "#0d1117", "rim": "#3d444d", "ink": "#f0f6fc", "soft": "#a9b3be", "box": "#1c232c"}


def rules(named: dict[str, str], colours: list[str]) -> str:
    return "".join(
        [
            f".card{{fill:{named['card']};stroke:{named['rim']}}}",
            f".ink,text{{fill:{named['ink']}}}.soft{{fill:{named['soft']}}}",
            f".on{{fill:{named['card']}}}.box{{fill:{named['box']};stroke:{named['rim']}}}",
            f".line{{stroke:{named['soft']}}}.strong{{stroke:{named['ink']}}}",
            *(f".n{i}{{fill:{c}}}.s{i}{{stroke:{c}}}" for i, c in enumerate(colours)),
        ]
    )


STYLE = (
    "text{font:15px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}"
    ".bold{font-weight:600}.small{font-size:14px}.mid{text-anchor:middle}.end{text-anchor:end}"
    ".line,.strong,.thin{fill:none;stroke-width:1.5}.strong{stroke-width:2.5}.faint{opacity:.28}"
    ".letter{font-size:12px;font-weight:600;text-anchor:middle}.arc{fill:none;stroke-width:14}"
    + rules(LIGHT, [light for light, _ in COLOURS])
    + f"@media (prefers-color-scheme:dark){{{rules(DARK, [dark for _, dark in COLOURS])}}}"
)


class Picture:
    """Elements on a card, from top to bottom."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.parts: list[str] = []

    def add(self, name: str, kind: str, text: str | None = None, **values: float | str) -> None:
        given = "".join(
            f' {key}="{value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")}"'
            for key, value in values.items()
        )
        body = "/>" if text is None else f">{escape(text)}</{name}>"
        self.parts.append(f'<{name} class="{kind}"{given}{body}')

    def text(self, x: float, y: float, words: str, kind: str = "ink") -> None:
        self.add("text", kind, words, x=x, y=y)

    def box(self, x: float, y: float, width: float, height: float, kind: str = "box") -> None:
        self.add("rect", kind, x=x, y=y, width=width, height=height, rx="6")

    def bar(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        self.add("rect", kind, x=x, y=y, width=width, height=height, rx="2")

    def dot(self, x: float, y: float, node: int, letter: str, kind: str = "") -> None:
        """A key, in the colour and with the letter of its node."""
        self.add("circle", f"n{node} {kind}".strip(), cx=x, cy=y, r=8.5)
        self.add("text", f"letter on {kind}".strip(), letter, x=x, y=y + 4.2)

    def ring(self, x: float, y: float) -> None:
        """Mark a dot as one that moved."""
        self.add("circle", "strong", cx=x, cy=y, r=10.2)

    def line(self, *points: tuple[float, float], kind: str = "line") -> None:
        self.add("polyline", kind, points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points))

    def arrow(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        heads = [
            (end[0] - 8 * math.cos(angle + a), end[1] - 8 * math.sin(angle + a))
            for a in (0.5, -0.5)
        ]
        self.line(start, end)
        self.line(heads[0], end, heads[1])

    def boxed(self, x: float, y: float, width: float, height: float, *lines: str) -> None:
        """Words in a box; the first line is bold."""
        self.box(x, y, width, height)
        top = y + height / 2 + 5 - 9.5 * (len(lines) - 1)
        for i, words in enumerate(lines):
            kind = "ink bold mid" if i == 0 else "soft small mid"
            self.text(x + width / 2, top + 19 * i, words, kind)

    def svg(self, height: int) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="560" '
            f'height="{height * 560 // WIDTH}" role="img">'
        )
        card = f'<rect class="card" x="0.5" y="0.5" width="479" height="{height - 1}" rx="8"/>'
        title = f"<title>{escape(self.title)}</title>"
        return "\n".join([head, title, f"<style>{STYLE}</style>", card, *self.parts, "</svg>\n"])


# -- a node leaves, a node joins -----------------------------------------------------------------

USERS = np.array([f"user:{i}" for i in range(60)])
IDS = ["cache-a", "cache-b", "cache-c", "cache-d", "cache-e"]


def letters(answer: np.ndarray) -> list[str]:
    return [str(node)[-1].upper() for node in answer.ravel()]


def change(title: str, before: list[str], after: list[str], said: str) -> str:
    """Sixty keys before and after a change, by rendezvous hashing and by a modulo."""
    picture = Picture(title)
    columns = {
        "Rendezvous hashing": [letters(rvh.NodeSet(ids).assign(USERS)) for ids in (before, after)],
        "hash(key) % nodes": [
            letters(Modulo(ids, "md5").lookup_batch(USERS)) for ids in (before, after)
        ],
    }
    picture.text(20, 62, f"Before: {len(before)} nodes", "soft")
    picture.text(20, 236, f"After: {said}", "soft")
    for column, (name, (old, new)) in enumerate(columns.items()):
        left = 20 + column * 235
        picture.text(left, 34, name, "ink bold")
        moved = [(was, now) for was, now in zip(old, new, strict=True) if was != now]
        for i, (was, now) in enumerate(zip(old, new, strict=True)):
            x, y = left + 9 + i % 10 * 21.5, 84 + i // 10 * 22
            picture.dot(x, y, "ABCDE".index(was), was)
            picture.dot(x, y + 174, "ABCDE".index(now), now, "" if was != now else "faint")
            if was != now:
                picture.ring(x, y + 174)
        left_by, taken_by = map(set, zip(*moved, strict=True))
        whose = f", all {min(left_by)}'s" if len(left_by) == 1 else ""
        whose += f", all to {min(taken_by)}" if len(taken_by) == 1 else ""
        picture.text(left, 404, f"{len(moved)} of 60 move{whose}", "ink bold")
    picture.text(20, 432, "Dot: a key. Letter: its node. Ring: the key has moved.", "soft")
    return picture.svg(452)


def node_leaves() -> str:
    ids = IDS[:4]
    return change("Sixty keys when one of four nodes leaves", ids, ids[:2] + ids[3:], "C has left")


def node_joins() -> str:
    return change("Sixty keys when a fifth node joins", IDS[:4], IDS, "E has joined")


# -- scores --------------------------------------------------------------------------------------


def scores() -> str:
    """Three keys, each with its score on each of four nodes."""
    picture = Picture("The scores of three keys on four nodes")
    nodes = rvh.NodeSet(IDS[:4])
    y = 34
    for key in ("user:1", "user:2", "user:3"):
        picture.text(20, y, f"hash({key}, node)", "ink bold")
        best = nodes.select(key)[0]
        for node, score in sorted(nodes.scores(key)):
            y += 24
            kind = f"n{IDS.index(node)}"
            length = 280 * score / 2**128
            picture.text(20, y, node, "ink bold" if node == best else "soft")
            picture.bar(95, y - 13, length, 16, kind if node == best else f"{kind} faint")
            if node == best:
                picture.text(103 + length, y, "highest", "ink bold")
        y += 38
    picture.text(20, y, "Each key goes to the node with its highest score.", "soft")
    return picture.svg(y + 20)


# -- a ring --------------------------------------------------------------------------------------


def ring() -> str:
    """The arcs and loads of a small ring, compared with a larger one and rendezvous hashing."""
    picture = Picture("A ring of four nodes with six tokens each, and the loads of 10,000 keys")
    ids = IDS[:4]
    bare = Ring.from_tokens({"any": [0]}, "ketama")
    tokens = {node: [bare.token(f"{node}-{i}") for i in range(6)] for node in ids}
    placed = Ring.from_tokens(tokens, "ketama")
    points = sorted((token, node) for node, given in tokens.items() for token in given)
    middle, radius = (126, 160), 92

    def at(token: float, r: float = radius) -> tuple[float, float]:
        angle = 2 * math.pi * token / 2**32
        return middle[0] + r * math.sin(angle), middle[1] - r * math.cos(angle)

    picture.text(20, 34, "A ring, 6 tokens a node", "ink bold")
    for (start, _), (end, node) in zip([points[-1], *points[:-1]], points, strict=True):
        long = int((end - start) % 2**32 > 2**31)
        (x, y), (to_x, to_y) = at(start), at(end)
        path = f"M{x:.1f} {y:.1f}A{radius} {radius} 0 {long} 1 {to_x:.1f} {to_y:.1f}"
        picture.add("path", f"arc s{ids.index(node)}", d=path)
    for token, _ in points:
        picture.line(at(token, radius - 10), at(token, radius + 10), kind="strong")
    for i in (1, 2, 3):
        token, node = placed.token(f"user:{i}"), placed.lookup(f"user:{i}")[0]
        after = min((point for point, _ in points if point >= token), default=points[0][0])
        picture.arrow(at(token, radius - 34), at(after, radius - 12))
        picture.dot(*at(token, radius - 34), ids.index(node), node[-1].upper())
    said = (
        "A line is a token. A key",
        "belongs to the next token",
        "clockwise, so the lengths",
        "of the arcs are the loads.",
    )
    for i, words in enumerate(said):
        picture.text(20, 304 + 20 * i, words, "soft")
    keys = [f"user:{i}" for i in range(10_000)]
    loads = {
        "Loads on this ring": placed.lookup_batch(keys),
        "160 points a node": ketama(ids).lookup_batch(keys),
        "Rendezvous hashing": rvh.NodeSet(ids).assign(keys),
    }
    for row, (name, owners) in enumerate(loads.items()):
        top = 34 + row * 128
        picture.text(262, top, name, "ink bold")
        for i, node in enumerate(ids):
            y, count = top + 24 + 23 * i, int(np.sum(owners == node))
            picture.dot(271, y - 5, i, node[-1].upper())
            picture.bar(286, y - 13, count / 28, 16, f"n{i}")
            picture.text(292 + count / 28, y, f"{count:,}")
    return picture.svg(410)


# -- replicas ------------------------------------------------------------------------------------


def domains() -> str:
    """Where six keys have three replicas, before a node dies and afterwards."""
    picture = Picture("Six keys with three replicas in three zones, before and after a node dies")
    zones = ["eu", "eu", "us", "us", "asia", "asia"]
    ids = ["eu-1", "eu-2", "us-1", "us-2", "asia-1", "asia-2"]
    keys = [f"user:{i}" for i in range(1, 7)]
    nodes = rvh.NodeSet(ids, domains={"zone": zones})
    held: list[dict[str, list[int]]] = []
    for alive in (None, [node != "us-1" for node in ids]):
        rows = FaultSet(nodes, alive=alive).select_batch(keys, k=3, spread="zone").nodes
        held.append({node: [i for i, row in enumerate(rows) if node in row] for node in ids})
    for row, said in enumerate(
        (
            "Three replicas of each key, in three zones",
            "us-1 dies: its replicas move within the zone",
        )
    ):
        top = 34 + row * 212
        picture.text(20, top, said, "ink bold")
        for i, node in enumerate(ids):
            left, y = 20 + i // 2 * 150, top + 38 + i % 2 * 72
            if i % 2 == 0:
                picture.text(left, top + 26, f"zone {zones[i]}", "soft")
            dead = row == 1 and node == "us-1"
            picture.box(left, y, 140, 62, "box faint" if dead else "box")
            picture.text(
                left + 10, y + 22, f"{node}: dead" if dead else node, "soft" if dead else "ink bold"
            )
            for place, key in enumerate(held[row][node]):
                x = left + 18 + place * 21.5
                picture.dot(x, y + 44, i // 2, str(key + 1))
                if key not in held[0][node]:
                    picture.ring(x, y + 44)
    picture.text(20, 448, "Dot: a replica. Number: its key. Ring: to be copied.", "soft")
    return picture.svg(468)


# -- a partition table ---------------------------------------------------------------------------


def partitions() -> str:
    """Eight keys, the partitions they fall into, and the nodes that own them."""
    picture = Picture("Keys, partitions and nodes of a table with sixteen partitions")
    ids = IDS[:4]
    table = PartitionTable(ids, partitions=16)
    owners = [ids.index(str(node)) for node in table.lookup_batch(KEYS_OF_TABLE)[:, 0]]
    at = table.partition_batch(KEYS_OF_TABLE)
    of = np.asarray(table.owners)[:, 0]
    for left, width, name in ((20, 90, "keys"), (185, 100, "partitions"), (370, 90, "nodes")):
        picture.text(left + width / 2, 34, name, "ink bold mid")
    for i, (key, where, owner) in enumerate(zip(KEYS_OF_TABLE, at, owners, strict=True)):
        y = 72 + i * 47
        picture.arrow((98, y), (198, 56 + 22 * int(where)))
        picture.text(20, y + 5, key)
        assert owner == of[where]
    for i, owner in enumerate(of):
        y = 56 + i * 22
        picture.bar(202, y - 9, 66, 18, f"n{owner}")
        picture.add("text", "letter on", f"{i}", x=235, y=y + 4.2)
        picture.line((270, y), (372, 78 + 94 * int(owner)), kind=f"thin s{owner}")
    for i, node in enumerate(ids):
        picture.boxed(372, 60 + 94 * i, 88, 36, node)
    for i, words in enumerate(
        (
            "A key's hash gives its partition at once. Which node owns",
            "a partition is scored when the table is built.",
        )
    ):
        picture.text(20, 434 + 20 * i, words, "soft")
    return picture.svg(472)


KEYS_OF_TABLE = [f"user:{i}" for i in range(1, 9)]


# -- a bound -------------------------------------------------------------------------------------


def bounded_load() -> str:
    """The loads of ten nodes, and the same with a bound 5% above the mean."""
    picture = Picture("Loads of ten nodes with 1,000 keys, without and with a bound")
    ids = [f"node-{i}" for i in range(10)]
    keys = [f"user:{i}" for i in range(1000)]
    plain, bounded = rvh.NodeSet(ids).assign(keys), assign_balanced(ids, keys, load_factor=1.05)
    for row, (name, owners) in enumerate(
        {"Rendezvous hashing": plain, "With load_factor=1.05": bounded}.items()
    ):
        base = 172 + 196 * row
        loads = [int(np.sum(owners == node)) for node in ids]
        picture.text(20, base - 142, f"{name}: at most {max(loads)} of 1,000 keys", "ink bold")
        for i, load in enumerate(loads):
            picture.bar(20 + 40 * i, base - load, 30, load, "n1" if load > 105 else "n0")
            picture.text(35 + 40 * i, base + 18, str(load), "soft small mid")
        picture.line((14, base - 105), (420, base - 105), kind="strong")
        picture.text(425, base - 100, "105")
    moved = int(np.sum(plain != bounded))
    picture.text(20, 420, f"A bar is a node. The bound moves {moved} of 1,000 keys.", "soft")
    return picture.svg(440)


# -- weights -------------------------------------------------------------------------------------


def weights() -> str:
    """The shares of nodes of weights 1, 2 and 3, and what moves when a weight grows."""
    picture = Picture("Loads of nodes of weights 1, 2 and 3, and of weights 2, 2 and 3")
    ids = IDS[:3]
    keys = [f"user:{i}" for i in range(6_000)]
    first = rvh.NodeSet(ids, weights=[1, 2, 3])
    old, new = first.assign(keys), first.with_weights([2, 2, 3]).assign(keys)
    said = (
        "6,000 keys: weights are shares",
        "A's weight grows to 2: keys move to A only",
    )
    for row, (nodes, owners) in enumerate(zip(([1, 2, 3], [2, 2, 3]), (old, new), strict=True)):
        top = 34 + row * 150
        picture.text(20, top, said[row], "ink bold")
        for i, node in enumerate(ids):
            y, left = top + 30 + i * 34, 128.0
            picture.dot(29, y - 5, i, node[-1].upper())
            picture.text(46, y, f"weight {nodes[i]}")
            for was in sorted(range(3), key=lambda was: was != i):  # its own first
                count = int(np.sum((owners == node) & (old == ids[was])))
                if count:
                    picture.bar(left, y - 18, count / 11, 24, f"n{was}")
                if was != i and count:
                    picture.bar(left, y - 18, count / 11, 24, "strong")
                left += count / 11
            picture.text(left + 8, y, f"{int(np.sum(owners == node)):,}")
    picture.text(20, 332, "Colour: the node that had the key. Framed: moved keys.", "soft")
    return picture.svg(352)


# -- a migration ---------------------------------------------------------------------------------


def migration() -> str:
    """What is read and written in each phase, as `Migration.route` answers."""
    picture = Picture("What is read and written in each phase of a migration")
    moving = Migration(rvh.NodeSet(["old"]), rvh.NodeSet(["new"]))
    steps = {
        Phase.BEFORE: "",
        Phase.PREPARING: "writes leave nothing on new nodes",
        Phase.COPYING: "keys are copied",
        Phase.SWITCHING: "a key that has crossed",
        Phase.AFTER: "old copies are removed",
    }
    for x, name in ((328, "reads"), (418, "writes")):
        picture.text(x, 34, name, "ink bold mid")
    picture.text(24, 34, "phase", "ink bold")
    for i, (phase, what) in enumerate(steps.items()):
        y = 50 + 62 * i
        route = moving.route("a key", phase, 1 if phase is Phase.SWITCHING else 0)
        picture.box(12, y, 456, 54)
        picture.text(24, y + (23 if what else 32), phase.value, "ink bold")
        picture.text(24, y + 43, what, "soft small")
        for x, nodes in ((328, route.read), (418, route.write)):
            for place, node in enumerate(nodes):
                left = x - 21 * len(nodes) + 42 * place
                picture.bar(left + 1, y + 14, 40, 26, f"n{int(node == 'new')}")
                picture.add("text", "letter on", node, x=left + 21, y=y + 31.2)
    said = (
        "Nodes are tried from left to right. A phase begins once",
        "every worker has acknowledged the one before it.",
    )
    for i, words in enumerate(said):
        picture.text(20, 382 + 20 * i, words, "soft")
    return picture.svg(420)


# -- membership, the service -----------------------------------------------------------------------


def membership() -> str:
    picture = Picture("From sources of nodes to placements")
    picture.text(20, 34, "A source says which nodes there are.", "soft")
    for i, name in enumerate(
        ("file", "URL", "DNS", "Kubernetes", "etcd", "Consul", "Redis", "ZooKeeper")
    ):
        picture.boxed(20 + i % 4 * 112, 46 + i // 4 * 46, 104, 38, name)
    picture.arrow((240, 134), (240, 162))
    picture.boxed(90, 164, 300, 58, "Membership", "follows the source, checks what it says")
    picture.arrow((240, 224), (240, 252))
    picture.boxed(90, 254, 300, 58, "Snapshot", "what the source said at one moment")
    for i, (name, said) in enumerate(
        (
            ("NodeSet", "snapshot.nodes"),
            ("FaultSet", "snapshot.faults"),
            ("PartitionTable", "table().current"),
        )
    ):
        picture.arrow((160 + 80 * i, 314), (90 + 150 * i, 342))
        picture.boxed(20 + 150 * i, 344, 140, 58, name, said)
    picture.text(20, 430, "Programs with the same snapshot give the same answers.", "soft")
    return picture.svg(450)


def service() -> str:
    picture = Picture("Who asks rvh serve, and where it has the nodes from")
    picture.boxed(20, 24, 140, 58, "Python", "rvh.rpc.Client")
    picture.boxed(170, 24, 140, 58, "Go, Java, ...", "any gRPC client")
    picture.boxed(320, 24, 140, 58, "curl, scripts", "HTTP and JSON")
    picture.arrow((390, 84), (390, 116))
    picture.boxed(320, 118, 140, 58, "Envoy", "the gateway")
    picture.arrow((90, 84), (90, 208))
    picture.arrow((240, 84), (240, 208))
    picture.arrow((390, 178), (390, 208))
    picture.text(98, 140, "keys go in,", "soft small")
    picture.text(98, 158, "nodes come back", "soft small")
    picture.boxed(20, 210, 440, 58, "rvh serve", "one server or many, all with the same answers")
    picture.arrow((125, 270), (125, 330))
    picture.text(133, 306, "changes of nodes", "soft small")
    picture.boxed(20, 332, 210, 58, "Python, rvh.rpc.follow", "asks nothing for a key")
    picture.arrow((355, 330), (355, 270))
    picture.text(363, 306, "the nodes", "soft small")
    picture.boxed(250, 332, 210, 58, "a source", "file, etcd, Kubernetes, ...")
    return picture.svg(412)


def architecture() -> str:
    """The floors of docs/explanation/architecture.md, the highest at the top, over the C libraries.

    A test holds that table to the imports, and so this picture.
    """
    page = Path(__file__).parents[1] / "explanation" / "architecture.md"
    rows = re.findall(r"(?m)^\| (\d+) \| `(\w+)` \|", page.read_text("utf-8"))
    floors: dict[int, list[str]] = {}
    for floor, part in rows:
        floors.setdefault(int(floor), []).append(part)
    floors[-1], floors[-2] = ["rvh_kernels"], ["blake2_simd"]
    picture = Picture("The parts of rvh: each imports only from lower floors")
    y = 46.0
    picture.text(20, 30, "Each part imports only from lower floors", "ink bold")
    for floor in sorted(floors, reverse=True):
        if floor == -1:
            picture.text(20, y + 18, "C, which knows no Python", "ink bold")
            y += 32
        picture.text(36, y + 18, str(floor) if floor >= 0 else "", "soft small end")
        x = 46.0
        for part in floors[floor]:
            width = 16 + (8 if part.startswith("_") else 8.8) * len(part)
            if x + width > WIDTH - 20:
                x, y = 46.0, y + 31
            picture.box(x, y, width, 26, "box")
            kind = "soft" if part.startswith("_") else "ink bold"
            picture.text(x + width / 2, y + 18, part, f"{kind} small mid")
            x += width + 7
        y += 33
        if floor in (0, -2):
            y += 6
        elif floor > 0:
            picture.line((20, y - 1), (WIDTH - 20, y - 1), kind="line faint")
            y += 5
    picture.text(20, y + 14, "Bold: public. Grey: private to rvh.", "soft small")
    return picture.svg(round(y) + 32)


PICTURES: dict[str, Callable[[], str]] = {
    "node-leaves": node_leaves,
    "node-joins": node_joins,
    "scores": scores,
    "ring": ring,
    "domains": domains,
    "partitions": partitions,
    "bounded-load": bounded_load,
    "weights": weights,
    "migration": migration,
    "membership": membership,
    "service": service,
    "architecture": architecture,
}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, draw in PICTURES.items():
        (folder / f"{name}.svg").write_text(draw(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
