"""The stub of the compiled module: its public names, no more and no fewer, as the twin has them."""

from __future__ import annotations

import ast
import importlib.resources
import inspect
from types import ModuleType

import pytest

from rvh import _backend
from rvh._backend import contract
from rvh._backend import pure as _pure

Signatures = dict[str, list[str]]


def stub() -> tuple[set[str], Signatures]:
    """The names at the top of the stub, and the parameters of every function and method."""
    text = importlib.resources.files("rvh").joinpath("_backend", "_native.pyi").read_text("utf-8")
    names: set[str] = set()
    signatures: Signatures = {}
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name):
                names.add(name)
                signatures[name] = [argument.arg for argument in node.args.args]
            case ast.ClassDef(name=name):
                names.add(name)
                for part in node.body:
                    if isinstance(part, ast.FunctionDef):
                        arguments = [argument.arg for argument in part.args.args]
                        signatures[f"{name}.{part.name}"] = arguments
    return names, signatures


NAMES, SIGNATURES = stub()


def find(module: ModuleType, name: str) -> object:
    value: object = module
    for part in name.split("."):
        value = getattr(value, part)
    return value


def parameters(value: object) -> list[str]:
    return list(inspect.signature(value).parameters)  # type: ignore[arg-type]


def test_the_stub_lists_the_public_names_of_the_module(native: ModuleType) -> None:
    public = {
        name
        for name, value in vars(native).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == "rvh._backend._native"
    }
    assert public == NAMES


def test_a_backend_offers_every_name(native: ModuleType) -> None:
    for name in contract.NAMES:
        assert hasattr(native, name)
        assert hasattr(_pure, name)
        assert getattr(_backend, name) is getattr(_backend._module, name)
    assert set(contract.NAMES) <= NAMES


# Cython shows a constructor as (*args, **kwargs).
@pytest.mark.parametrize("name", [name for name in SIGNATURES if not name.endswith("__init__")])
def test_the_compiled_signatures(name: str, native: ModuleType) -> None:
    assert parameters(find(native, name)) == SIGNATURES[name]


@pytest.mark.parametrize("name", [n for n in SIGNATURES if n.split(".")[0] in contract.NAMES])
def test_the_twins_signatures(name: str) -> None:
    if name == "Cancel.__init__":
        pytest.skip("neither backend's Cancel takes anything")
    assert parameters(find(_pure, name)) == SIGNATURES[name]


@pytest.mark.parametrize(
    "name", [n for n in SIGNATURES if "." in n and n.split(".")[0] in contract.NAMES]
)
def test_the_twin_has_no_other_methods(name: str) -> None:
    kind = name.split(".")[0]
    methods = {method for method in vars(getattr(_pure, kind)) if not method.startswith("_")}
    listed = {n.split(".")[1] for n in SIGNATURES if n.startswith(f"{kind}.")}
    assert methods == {method for method in listed if not method.startswith("_")}


def test_users_read_the_same_of_either_backend(native: ModuleType) -> None:
    """`NodeSet.select` is a method of the backend."""
    select, twin = native.Selector.select, _pure.Selector.select
    assert inspect.getdoc(select) == inspect.getdoc(twin)
    assert inspect.signature(select) == inspect.signature(twin)
    assert select.__annotations__ == twin.__annotations__
