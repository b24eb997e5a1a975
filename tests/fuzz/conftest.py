"""The other backend, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fuzz.harness import Twin


@pytest.fixture(scope="module")
def twin(native: object) -> Iterator[Twin]:
    twin = Twin()
    yield twin
    twin.close()
