"""The documentation site: Sphinx, MyST and furo. ``nox -s site`` builds it in build/site."""

from __future__ import annotations

import inspect
import pydoc
import re
import sys
import tomllib
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from pygments.lexers import SqlLexer
from pygments.token import Punctuation
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon import Config, NumpyDocstring
from sphinx.transforms import SphinxTransform

import rvh
import rvh.rpc
import rvh.typing

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]

project = "rvh"
author = "the authors of rvh"
project_copyright = author
release = rvh.__version__
#: the tag of a release, and otherwise the branch that the pages are on
REVISION = f"v{release}" if release.replace(".", "").isdigit() else "main"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_static"]
nitpicky = True
#: types in signatures that are private to rvh; T is a type variable
PRIVATE = (
    *("AccessLog", "Column", "Frame", "ListKeys", "NodeColumn", "Nodes", "Options", "Pair"),
    *("ReadMany", "Report", "Slots", "T", "TableFollower", "Update", "Weigh", "_Membership"),
)
nitpick_ignore = [("py:class", name) for name in PRIVATE]
# Types of engines, as their modules abbreviate them.
ENGINES = r"(dd|pa|pd|pl|datafusion|duckdb|ray)\..*|DataFrame|SparkSession"
nitpick_ignore_regex = [("py:class", ENGINES)]
# `name` in a docstring: a link where it is a name of rvh, and code where it is a parameter's.
default_role = "py:obj"

# Headings are anchors as on GitHub, so cli.md#rvh-plan is a link in both places.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# rvh.rpc loads a name when it is asked for, and autodoc sees those that are loaded.
for _name in rvh.rpc.__all__:
    getattr(rvh.rpc, _name)
autodoc_member_order = "bysource"
# Engines that need a JRE or workers of their own; the site is built without them.
autodoc_mock_imports = ["dask", "pyspark", "ray"]
autodoc_typehints = "none"  # see as_written()
maximum_signature_line_length = 88

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# GitHub draws the anchors of its pages by script.
linkcheck_anchors_ignore_for_url = ["https://github.com/"]
linkcheck_retries = 3
linkcheck_timeout = 30

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"rvh {release.split('+')[0]}"  # what follows the + is too long for a phone
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_logo = html_favicon = "_static/logo.svg"
html_theme_options = {
    "source_repository": REPOSITORY,
    "source_branch": REVISION,
    "source_directory": "docs/",
}


# -- links to files of the repository --------------------------------------------------------------


class RepositoryLinks(SphinxTransform):
    """Links from pages to files outside docs/ go to the repository, at the version of the pages."""

    default_priority = 5  # before Sphinx looks for pages, and for files to copy

    def apply(self) -> None:
        """Replace such links in one page."""
        folder = Path(self.document["source"]).parent
        kinds = (addnodes.download_reference, addnodes.pending_xref)
        for link in list(self.document.findall(lambda each: isinstance(each, kinds))):
            if link.get("reftype") != "myst":
                continue
            # MyST omits the suffix of pages.
            suffix = ".md" if link["refdomain"] == "doc" else ""
            target = (folder / (link["reftarget"] + suffix)).resolve()
            if target.is_relative_to(DOCS) or not target.is_relative_to(ROOT):
                continue
            if target.exists():
                kind = "tree" if target.is_dir() else "blob"
                url = f"{REPOSITORY}/{kind}/{REVISION}/{target.relative_to(ROOT).as_posix()}"
                if anchor := link.get("reftargetid"):
                    url += f"#{anchor}"
                link.replace_self(nodes.reference("", "", *link.children, refuri=url))


# -- docstrings ------------------------------------------------------------------------------------

# Types of parameters are prose ("array of str, shape (N,)"), so they are no names to look up.
PROSE = Config(napoleon_use_param=False, napoleon_use_rtype=False)


def read_docstring(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Read a docstring in NumPy's style.

    The extension napoleon would take what a property's first sentence has before a colon for its
    type, and none of its sections for one.
    """
    kind = "method" if what in ("attribute", "data", "property") else what
    text = "\n".join(lines)
    text = re.sub(r"`docs/([\w/-]+)\.md`", r":doc:`/\1`", text)
    if what == "module":  # where an indented block is code, as in Markdown
        text = re.sub(r"\n\n((?:(?: {4}.*)?\n)+)", r"\n\n::\n\n\1\n", text)
    lines[:] = NumpyDocstring(text, PROSE, app, kind, name, value, options).lines()


class Written(str):
    """A name or an annotation, shown without quotes."""

    __repr__ = str.__str__


def written(annotation: Any) -> str:
    """Give an annotation as the source has it."""
    return str(getattr(annotation, "__forward_arg__", annotation))


def as_written(
    app: Sphinx, what: str, name: str, value: Any, options: object, given: str | None, returns: str
) -> tuple[str, str] | None:
    """Give a signature with its types as the source has them.

    autodoc would evaluate them, and ``Weights | None`` would be all that ``Weights`` stands for.
    """
    if not given:
        return None
    signature = inspect.signature(value)
    parameters = []
    for each in signature.parameters.values():
        if each.annotation is not each.empty:
            each = each.replace(annotation=Written(written(each.annotation)))
        if inspect.isfunction(each.default):
            each = each.replace(default=Written(each.default.__name__))
        if each.name not in ("self", "cls"):
            parameters.append(each)
    returned = signature.return_annotation
    shown = str(signature.replace(parameters=parameters, return_annotation=signature.empty))
    is_shown = returned is not signature.empty and what not in ("class", "exception")
    return shown, written(returned) if is_shown else ""


def add_type(app: Sphinx, domain: str, kind: str, content: addnodes.desc_content) -> None:
    """Show the type of an attribute or a property, as the source has it."""
    heading = content.parent[0]
    if kind in ("attribute", "property"):
        owner, _, name = f"{heading['module']}.{heading['fullname']}".rpartition(".")
        holder = pydoc.locate(owner)
        found = inspect.getattr_static(holder, name, None)
        getter = getattr(found, "fget", None) or getattr(found, "func", None)  # if it is cached
        types = inspect.get_annotations(getter or holder)
        if shown := written(types.get("return", types.get(name, ""))):
            heading += addnodes.desc_annotation("", f": {shown}")


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Find the source of a class or function: at its line, as far as it is Python."""
    value = inspect.unwrap(pydoc.locate(f"{info['module']}.{info['fullname']}"))
    # A class says by which module users find it, and its methods where they were written.
    functions = filter(
        inspect.isfunction, vars(value).values() if inspect.isclass(value) else [value]
    )
    code = getattr(next(functions, None), "__code__", None)
    package = Path(rvh.__file__).parent
    if code is None or package not in (file := Path(code.co_filename)).parents:
        return None
    line = code.co_firstlineno
    if inspect.isclass(value):
        above = file.read_text("utf-8").splitlines()[:line]
        line = max(
            i for i, text in enumerate(above, 1) if text.startswith(f"class {value.__name__}")
        )
    return f"{REPOSITORY}/blob/{REVISION}/src/rvh/{file.relative_to(package).as_posix()}#L{line}"


#: where Python and NumPy document a name: a build without a network has no inventories of theirs
ELSEWHERE = {
    "numpy.typing": "https://numpy.org/doc/stable/reference/typing.html#{name}",
    "numpy.dtypes": "https://numpy.org/doc/stable/reference/routines.dtypes.html#{name}",
    "numpy.ndarray": "https://numpy.org/doc/stable/reference/generated/{name}.html",
    "numpy.dtype": "https://numpy.org/doc/stable/reference/generated/{name}.html",
    "numpy": "https://numpy.org/doc/stable/reference/arrays.scalars.html#{name}",
    "msgspec": "https://jcristharif.com/msgspec/api.html#{name}",
    "opentelemetry": "https://opentelemetry-python.readthedocs.io/en/latest/api/trace.html#{name}",
    **{
        module: f"https://docs.python.org/3/library/{module}.html#{{name}}"
        for module in ("collections.abc", "collections", "fractions", "os", "threading", "uuid")
    },
}
#: as annotations abbreviate them
SHORT = {
    "np": "numpy",
    "NDArray": "numpy.typing.NDArray",
    "ArrayLike": "numpy.typing.ArrayLike",
    "Fraction": "fractions.Fraction",
    "TracerProvider": "opentelemetry.trace.TracerProvider",
    "PathLike": "os.PathLike",
}


def take_as_written(app: Sphinx, document: nodes.document) -> None:
    """Let Sphinx look for types by what is written: it would take any attribute for ``bytes``."""
    for link in document.findall(addnodes.pending_xref):
        link.attributes.pop("refspecific", None)


def resolve(
    app: Sphinx, env: BuildEnvironment, link: addnodes.pending_xref, shown: nodes.TextElement
) -> nodes.Element | None:
    """Find a type of another module, or of another package."""
    target = link["reftarget"]
    python = env.domains.python_domain
    found = [
        name
        for name, entry in python.objects.items()
        if name.endswith(f".{target}")
        and entry.objtype in ("class", "exception", "data")
        and not entry.aliased
    ]
    if len(found) > 1:  # three modules have Moves
        module = sys.modules.get(link.get("py:module"))
        owner = getattr(module, link.get("py:class") or "", None)
        scope = getattr(getattr(owner, "__init__", None), "__globals__", vars(module))
        found = [f"{scope[target].__module__}.{target}"]
    if found:
        return python.resolve_xref(
            env, link["refdoc"], app.builder, link["reftype"], found[0], link, shown
        )
    if link["reftype"] == "obj":
        return shown
    first, dot, rest = target.partition(".")
    name = SHORT.get(first, first) + dot + rest
    for package, url in ELSEWHERE.items():
        if name == package or name.startswith(f"{package}."):
            return nodes.reference("", "", shown, refuri=url.format(name=name), internal=False)
    return None


class Sql(SqlLexer):
    """SQL with DuckDB's structs and dbt's templates."""

    tokens: ClassVar = {
        **SqlLexer.tokens,
        "root": [(r"[{}:%]", Punctuation), *SqlLexer.tokens["root"]],
    }


def setup(app: Sphinx) -> None:
    """Add what is this site's own."""
    app.add_transform(RepositoryLinks)
    app.connect("autodoc-process-docstring", read_docstring)
    app.connect("autodoc-process-signature", as_written)
    app.connect("object-description-transform", add_type)
    app.connect("doctree-read", take_as_written)
    app.add_lexer("sql", Sql)
    app.connect("missing-reference", resolve)
