"""The options --compression and --level of what is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import typer

from rvh._tables import Format, format_of
from rvh._tables.levels import CODECS, LEVELS
from rvh.cli.formats import compression as told_by_name
from rvh.errors import show


class Packing(NamedTuple):
    """The compression of the bytes of OUT and its level, and the options of its writer."""

    compression: str | None
    level: int | None
    writing: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PackingOptions:
    """The options, each as it was given."""

    compression: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"How to compress what is written. Parquet: {', '.join(CODECS)}; text: "
            f"{', '.join(LEVELS)} or none. [default: Parquet as KEYS, otherwise snappy; text from "
            "the extension of OUT, in rvh split as KEYS]",
        ),
    ] = None
    level: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="The compression level; its range depends on the compression."
        ),
    ] = None

    def of_file(self, out: str, write_as: Format) -> Packing:
        """Decide how OUT is compressed.

        Raises
        ------
        typer.BadParameter
            A compression that the format does not have or that the name contradicts, a level that
            the compression does not have.
        """
        told = told_by_name(out, write_as)
        parquet = write_as.name == "parquet"
        choices = [*CODECS] if parquet else [*LEVELS, "none"] if write_as.is_text else []
        chosen = self.compression
        if chosen is not None and chosen not in choices:
            few = f"it has {', '.join(choices)}" if choices else "it is not compressed"
            raise typer.BadParameter(
                f"{show(chosen)} is not a compression of {write_as.name}: {few}",
                param_hint="--compression",
            )
        if parquet:
            self._refuse_level(chosen, CODECS)
            level = {} if self.level is None else {"level": self.level}
            return Packing(None, None, {} if chosen is None else {"compression": chosen, **level})
        named = out != "-" and (told is not None or format_of(out) is not None)
        if chosen is not None and named and (told or "none") != chosen:
            raise typer.BadParameter(
                f"the name {out} tells {told or 'none'}, and this {chosen}: give one of them",
                param_hint="--compression",
            )
        packed = told if chosen is None else None if chosen == "none" else chosen
        self._refuse_level(packed, LEVELS)
        return Packing(packed, self.level, {})

    def _refuse_level(self, chosen: str | None, levels: dict[str, Any]) -> None:
        if self.level is None:
            return
        having = {name: each for name, each in levels.items() if each}
        if chosen not in having:
            listed = ", ".join(f"{name} ({e[0]} to {e[-1]})" for name, e in having.items())
            what = "a level needs a compression" if chosen is None else f"{chosen} has no levels"
            raise typer.BadParameter(
                f"{what}: give --compression one of {listed}", param_hint="--level"
            )
        if self.level not in having[chosen]:
            first, last = having[chosen][0], having[chosen][-1]
            raise typer.BadParameter(
                f"{self.level} is not a level of {chosen}, which has {first} to {last}",
                param_hint="--level",
            )
