"""A report of what a migration moves: one page that a browser shows without a network.

`write_report` writes the estimate of `Migration.estimate` as HTML.
"""

from __future__ import annotations

import os

from rvh._runtime.replacing import replacing
from rvh.errors import RVHTypeError
from rvh.migration.estimate import Estimate
from rvh.report.page import page

__all__ = ["write_report"]


def write_report(
    estimate: Estimate,
    path: str | os.PathLike[str],
    *,
    title: str = "What the migration moves",
    bandwidth: float | None = None,
) -> None:
    """Write an estimate as a self-contained HTML page.

    The page loads nothing, and its policy (Content-Security-Policy) forbids it to. It has the
    headline, the remarks, the load of each node and each failure domain before and after, the flows
    between nodes, and the steps. The same estimate makes the same bytes.

    Parameters
    ----------
    estimate : Estimate
        The result of `Migration.estimate`.
    path : str or path-like
        The file; it is replaced as a whole, or not at all. A device or a pipe is written to.
    title : str
        The heading of the page.
    bandwidth : float, optional
        In bytes a second: the page then says how long the copies take, if keys have sizes.

    Raises
    ------
    RVHTypeError
        Something else than an estimate.
    RVHError
        A bandwidth that is not finite and above 0.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from rvh import NodeSet
    >>> from rvh.migration import Migration
    >>> from rvh.report import write_report
    >>> estimate = Migration(NodeSet(["a", "b"]), NodeSet(["a", "b", "c"])).estimate(range(3000))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "report.html")
    ...     write_report(estimate, path, title="A third node")
    ...     "<h1>A third node</h1>" in path.read_text("utf-8")
    True
    """
    if not isinstance(estimate, Estimate):
        raise RVHTypeError(
            f"estimate is of type {type(estimate).__name__}: pass what Migration.estimate returned"
        )
    data = page(estimate, title, bandwidth).encode()
    with replacing(path) as file:
        file.write(data)
