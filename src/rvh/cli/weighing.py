"""The options that make weights of measures, and those that make a node set of a source's nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rvh._nodelist.values import as_number
from rvh.cli.options import Scheme, SchemeName
from rvh.cli.values import read_secret
from rvh.errors import RVHError, show
from rvh.weighted import EXPONENTS

if TYPE_CHECKING:
    from rvh.membership.weighing import Weigh

MEASURES = ", ".join(EXPONENTS)


@dataclass(frozen=True, kw_only=True)
class WeighOptions:
    """The measures that weights are made of, and how."""

    weigh: Annotated[
        list[str],
        typer.Option(
            "--weigh",
            metavar="NAME",
            help=f"Compute the weights from measures: {MEASURES}. Several: repeat the option or "
            "separate them by commas. [default: the weights of the nodes]",
        ),
    ] = field(default_factory=list)
    exponent: Annotated[
        list[str],
        typer.Option(
            "--exponent",
            metavar="NAME=N",
            help="With --weigh: the exponent of a measure, such as rtt=-0.5. May be repeated. "
            "[default: -1 for rtt, otherwise 1]",
        ),
    ] = field(default_factory=list)
    bounds: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="With --weigh: the lowest and the highest weight, such as 0.1,10.",
        ),
    ] = None

    def keywords(self) -> dict[str, Any]:
        """The options as keywords of `rvh.membership.publishing.Publisher`.

        Raises
        ------
        typer.BadParameter
            An unknown measure, what is not a number, options that need ``--weigh``.
        """
        measures = named(self.weigh, "--weigh")
        for option, given in (("--exponent", self.exponent), ("--bounds", self.bounds)):
            if given and not measures:
                raise typer.BadParameter("it needs --weigh", param_hint=option)
        exponents: dict[str, float] = {}
        for text in self.exponent:
            name, sign, value = text.partition("=")
            if not sign or name not in measures:
                raise typer.BadParameter(
                    f"{show(text)} is not an exponent: write NAME=NUMBER, with a name of --weigh "
                    f"({', '.join(measures)})",
                    param_hint="--exponent",
                )
            if name in exponents:
                raise typer.BadParameter(f"{name} is given twice", param_hint="--exponent")
            exponents[name] = _number(value, "--exponent")
        bounds = None
        if self.bounds is not None:
            low, sign, high = self.bounds.partition(",")
            if not sign:
                raise typer.BadParameter(
                    f"{show(self.bounds)} is not two bounds: write LOW,HIGH", param_hint="--bounds"
                )
            bounds = (_number(low, "--bounds"), _number(high, "--bounds"))
        return {"weigh": measures, "exponents": exponents or None, "bounds": bounds}

    def function(self) -> Weigh:
        """The options as the `weigh` of a membership."""
        from rvh.membership import given_weights, weigh_by

        given = self.keywords()
        measures = given.pop("weigh")
        return weigh_by(*measures, **given) if measures else given_weights


@dataclass(frozen=True, kw_only=True)
class NodeSetOptions(WeighOptions):
    """All that decides, beside the nodes, which keys each of them gets."""

    scheme: SchemeName = Scheme.BLAKE2B
    secret_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A file with the secret, which the fingerprint depends on; - is stdin.",
        ),
    ] = None

    def node_set(self) -> dict[str, Any]:
        """The options as keywords of `rvh.membership.Membership`."""
        if self.secret_file is not None and self.scheme is Scheme.MURMUR:
            raise typer.BadParameter(
                "--scheme murmur has no secret: omit it, or use --scheme blake2b",
                param_hint="--secret-file",
            )
        return {
            "scheme": self.scheme.value,
            "secret": read_secret(self.secret_file),
            "weigh": self.function(),
        }


@dataclass(frozen=True, kw_only=True)
class GuardOptions:
    """Limits on a change of a source that is followed."""

    min_nodes: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Hold back a change that leaves fewer than N selectable nodes."
        ),
    ] = None
    max_change: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Hold back a change that moves more than this share of all keys, such as 0.3. "
            "[default: 1]",
        ),
    ] = None

    def keywords(self) -> dict[str, Any]:
        """The options that were given, as keywords of `rvh.membership.Membership`."""
        if self.max_change is not None and not 0 < self.max_change <= 1:
            raise typer.BadParameter(
                f"{self.max_change:g} is not a share of all keys: give a number above 0 and at "
                "most 1",
                param_hint="--max-change",
            )
        given = {"min_nodes": self.min_nodes, "max_change": self.max_change}
        return {name: value for name, value in given.items() if value is not None}


Timeout = Annotated[
    float,
    typer.Option(min=0.001, metavar="SECONDS", help="How long to wait for the source."),
]


def named(texts: Sequence[str], option: str) -> list[str]:
    """The measures in the values of an option: repeated, or with commas between."""
    names = [name for text in texts for name in text.split(",")]
    for place, name in enumerate(names):
        if name not in EXPONENTS:
            raise typer.BadParameter(f"{show(name)} is not one of {MEASURES}", param_hint=option)
        if name in names[:place]:
            raise typer.BadParameter(f"{name} is given twice", param_hint=option)
    return names


def refuse_no_source(text: str, what: str) -> None:
    """Refuse ``@FILE``, which is the way of other options."""
    if text.startswith("@"):
        raise RVHError(
            f"{what} is {show(text)}: a source is a URL, or the path of a file without @"
        )


def _number(text: str, option: str) -> float:
    number = as_number(text)
    if isinstance(number, str):
        raise typer.BadParameter(f"{show(text)} is not a number", param_hint=option)
    return number
