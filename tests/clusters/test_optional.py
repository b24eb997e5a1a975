"""An engine that is not there is named, with how to get it; `import rvh` asks for none."""

from __future__ import annotations

import pytest
from subprocesses import output


@pytest.mark.parametrize(
    ("module", "missing"),
    [("dask", "dask"), ("dask", "pyarrow"), ("spark", "pyspark"), ("ray", "ray")],
)
def test_what_to_install(module: str, missing: str) -> None:
    code = f"""
        import sys
        sys.modules[{missing!r}] = None
        try:
            import rvh.integrations.{module}
        except ImportError as error:
            print(error)
    """
    assert output(code, "-W", "ignore").endswith(f": pip install 'rvh[{module}]'\n")


def test_nobody_else_loads_them() -> None:
    code = """
        import sys, rvh
        print({"dask", "pyspark", "ray", "rvh.integrations"} & set(sys.modules))
    """
    assert output(code, "-W", "ignore") == "set()\n"
