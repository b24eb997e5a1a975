"""The options about the formats of KEYS and OUT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Annotated, Any

import typer

from rvh._tables import EXTENSIONS, FORMATS, Format, Quote, compression_of, extension_of, format_of
from rvh.errors import RVHError, show

FORMAT_NAMES = ", ".join(FORMATS)


@dataclass(frozen=True, kw_only=True)
class FormatOptions:
    """The options, each as it was given."""

    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help=f"The format of the input: {FORMAT_NAMES}. [default: from its extension]",
        ),
    ] = None
    output_format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The format of what is written. [default: from the extension of OUT, otherwise "
            "the format of the input]",
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        typer.Option(
            metavar="CHAR",
            help="The character between values in csv and tsv; \\t is a tab. It applies to the "
            "input, to an output of the same format, and to the output alone if the input is "
            "neither csv nor tsv.",
        ),
    ] = None
    no_header: Annotated[
        bool,
        typer.Option(
            "--no-header",
            help="csv and tsv files have no header; columns are named 1, 2, 3 and so on.",
        ),
    ] = False
    quote: Annotated[
        Quote | None,
        typer.Option(
            metavar="csv|none",
            help="Quotes in csv and tsv. csv: a value may be in quotes (RFC 4180); none: a quote "
            "is an ordinary character. [default: csv in csv; in tsv, a value that begins with "
            "a quote is an error]",
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The encoding of the input, by its Python name, such as utf-16 or latin-1. Output "
            "is always UTF-8. [default: utf-8]",
        ),
    ] = None

    def of_files(
        self, keys: Sequence[str], out: str, option: str = "--out"
    ) -> tuple[Format, Format]:
        """The formats of KEYS, which have one, and of OUT, which `option` names.

        Raises
        ------
        typer.BadParameter
            An unknown format, a name that tells none, names that tell several.
        """
        read_as = _format_of("--format", self.format_name, keys[0], None)
        for path in keys[1:]:
            other = _format_of("--format", self.format_name, path, None)
            if other is not read_as:
                # Of another format, the values of a column are of other types: 7 would be another
                # key than the text 7.
                raise typer.BadParameter(
                    f"{keys[0]} is {read_as.name}, but {path} is {other.name}: give files of one "
                    "format, or name the format of all of them with --format",
                    param_hint="KEYS",
                )
        return read_as, _format_of("--output-format", self.output_format, out, read_as, option)

    def delimited(self, read_as: Format, write_as: Format) -> tuple[dict[str, Any], dict[str, Any]]:
        """The options about delimited text, as keywords of the reader and of the writer."""
        both: dict[str, Any] = {}
        if self.quote is not None:
            both["quote"] = self.quote
        if self.no_header:
            both["header"] = False
        if self.delimiter is not None:
            both["delimiter"] = _one_character(self.delimiter)
        names = {"quote": "--quote", "header": "--no-header", "delimiter": "--delimiter"}
        if both and not (read_as.is_delimited or write_as.is_delimited):
            raise typer.BadParameter(
                f"it is for csv and tsv, but KEYS is {read_as.name} and OUT is {write_as.name}",
                param_hint=names[next(iter(both))],
            )
        reading = {**both, "chosen": self.delimiter is not None} if read_as.is_delimited else {}
        writing = both if write_as.is_delimited else {}
        if read_as.is_delimited and write_as is not read_as:  # which has a delimiter of its own
            writing = {name: value for name, value in writing.items() if name != "delimiter"}
        return reading, writing

    def refuse_encoding(self, read_as: Format) -> None:
        """Refuse an encoding that is none, or that is not for this format."""
        if self.encoding is None:
            return
        from rvh._tables.decoding import text_codec

        if not read_as.is_text:
            raise typer.BadParameter(
                f"it is for text, but KEYS is {read_as.name}", param_hint="--encoding"
            )
        if text_codec(self.encoding) is None:
            raise typer.BadParameter(
                f"{show(self.encoding)} is not an encoding that Python knows, such as utf-8, "
                "utf-16, latin-1, cp1252 or shift_jis",
                param_hint="--encoding",
            )


def compression(path: str, known: Format) -> str | None:
    """The compression that the name of a file tells; an error where its format has its own."""
    packing = None if path == "-" else compression_of(path)
    if packing and not known.is_text:
        raise RVHError(
            f"{path}: {known.name} is never {packing}-compressed as a whole: decompress it, "
            f"or drop {PurePath(path).suffix} from the name"
        )
    return packing


def format_of_copies(name: str | None, path: str, placed: Format) -> Format:
    """The format of COPIES, which has its own option; by default that of PLACED."""
    return _format_of("--copies-format", name, path, placed, "--copies")


def _format_of(
    option: str, name: str | None, path: str, otherwise: Format | None, out: str = "--out"
) -> Format:
    if name is not None:
        if name not in FORMATS:
            raise typer.BadParameter(
                f"{show(name)} is not one of {FORMAT_NAMES}", param_hint=option
            )
        return FORMATS[name]
    known = None if path == "-" else format_of(path)
    if known is None and otherwise is not None:
        extension = "" if path == "-" else extension_of(path)
        if extension:
            raise typer.BadParameter(
                f"{show(extension)} is not one of the extensions {EXTENSIONS}: choose one of "
                f"them, or name the format with {option}",
                param_hint=out,
            )
        return otherwise
    if known is None:
        if path != "-":
            Path(path).stat()  # which says that it is missing
        what = "stdin" if path == "-" else f"the name {path}"
        raise typer.BadParameter(
            f"{what} does not tell a format: choose one of {FORMAT_NAMES}", param_hint=option
        )
    return known


def _one_character(text: str) -> str:
    character = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(character) != 1 or not character.isascii() or character in '"\r\n\0':
        raise typer.BadParameter(
            f"{show(text)} is not one ASCII character other than a quote and a line end; "
            "\\t is a tab",
            param_hint="--delimiter",
        )
    return character
