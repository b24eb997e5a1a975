"""Draw the pictures of the documentation: python docs/pictures/draw.py [FOLDER]

Where a picture shows where keys go, rvh has placed them here, so the picture is true. A test
compares the files in this folder with what the script draws. Each picture has a card of its own, so
it can be read on pages of any colour.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np

import rvh
from rvh.placements import Modulo

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
    ".line,.strong{fill:none;stroke-width:1.5}.strong{stroke-width:2.5}.faint{opacity:.28}"
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

    def dot(
        self, x: float, y: float, node: int, letter: str, kind: str = "", r: float = 8.5
    ) -> None:
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
    picture.text(20, 432, "A dot is a key, its letter the node. Ringed: has moved.", "soft")
    return picture.svg(452)


def node_leaves() -> str:
    ids = IDS[:4]
    return change("Sixty keys when one of four nodes leaves", ids, ids[:2] + ids[3:], "C has left")


def node_joins() -> str:
    return change("Sixty keys when a fifth node joins", IDS[:4], IDS, "E has joined")


PICTURES: dict[str, Callable[[], str]] = {
    "node-leaves": node_leaves,
    "node-joins": node_joins,
}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, draw in PICTURES.items():
        (folder / f"{name}.svg").write_text(draw(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
