"""Groups of options: a dataclass whose fields are options, as one parameter of a command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def ungrouped(command: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command so that it takes the fields of its groups one by one.

    Typer makes an option of each parameter, in their order: the fields stand where their group is.
    A group may have groups in it.
    """
    groups: dict[str, type[Any]] = {}
    flat: list[Parameter] = []
    hints = get_type_hints(command, include_extras=True)
    for parameter in signature(command).parameters.values():
        kind = hints[parameter.name]
        if is_dataclass(kind):
            assert isinstance(kind, type)
            groups[parameter.name] = kind
            flat += parameters(kind)
        else:
            flat.append(parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=kind))

    @wraps(command)
    def wrapper(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = gathered(group, given)
        command(**given)

    wrapper.__signature__ = Signature(flat)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {each.name: each.annotation for each in flat}
    return wrapper


def parameters(group: type[Any]) -> Iterator[Parameter]:
    """Yield the options of a group and of the groups in it."""
    hints = get_type_hints(group, include_extras=True)
    for each in fields(group):
        if is_dataclass(kind := hints[each.name]):
            assert isinstance(kind, type)
            yield from parameters(kind)
            continue
        default = each.default if each.default_factory is MISSING else each.default_factory()
        yield Parameter(
            each.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if default is MISSING else default,
            annotation=kind,
        )


def gathered(group: type[Any], given: dict[str, Any]) -> Any:
    """A group of the values that are given, which are taken out."""
    hints = get_type_hints(group)
    return group(
        **{
            each.name: gathered(hints[each.name], given)
            if is_dataclass(hints[each.name])
            else given.pop(each.name)
            for each in fields(group)
        }
    )
