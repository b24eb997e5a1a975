"""Nothing stays instrumented after a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rvh import observe


@pytest.fixture
def instrumented() -> Iterator[None]:
    observe.instrument()
    yield
    observe.uninstrument()
