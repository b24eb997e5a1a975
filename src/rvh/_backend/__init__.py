"""The choice of backend: compiled kernels, or the pure-Python twin with the same answers.

`contract.NAMES` lists what both offer. The choice is made once, at import:

- ``RVH_FORCE_PYTHON`` set to anything but ``0`` or nothing: the pure-Python twin;
- otherwise the compiled module; if none was built, the twin, with one RuntimeWarning.
  A compiled module that exists but does not load raises its own error, since the installation is
  broken, or this is a second interpreter of the process.
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from rvh._backend.contract import BACKENDS, NAMES

#: what Python, Cython and NumPy say where a module is imported by a second interpreter
ONCE = ("in subinterpreters", "Interpreter change detected", "more than once per process")


def _choose() -> ModuleType:
    if os.environ.get("RVH_FORCE_PYTHON", "") in ("", "0"):
        try:
            return import_module(BACKENDS["native"])
        except ModuleNotFoundError as error:
            if error.name != BACKENDS["native"]:
                raise
            warnings.warn(
                "rvh was installed without its compiled kernels and uses the pure-Python "
                "backend: the same answers, at least 20 times slower. Install it again (pip "
                "install --force-reinstall) where a C compiler is available, without RVH_PURE, or "
                "set RVH_FORCE_PYTHON=1 to choose this backend without a warning.",
                RuntimeWarning,
                stacklevel=4,
            )
        except ImportError as error:
            if any(words in str(error) for words in ONCE):
                raise ImportError(
                    "rvh, as NumPy, is in one interpreter of a process alone, and this is another: "
                    "use threads of the first one, or processes",
                    name="rvh",
                ) from error
            raise
    return import_module(BACKENDS["python"])


_module = _choose()
if TYPE_CHECKING:  # the twin has the types of both backends
    from rvh._backend.pure import *  # noqa: F403
else:
    globals().update({name: getattr(_module, name) for name in NAMES})


def backend() -> str:
    """The backend in use: ``"native"`` or ``"python"``.

    Both give the same answers to the last bit. ``RVH_FORCE_PYTHON=1`` in the environment, before
    rvh is imported, chooses ``"python"``.

    Examples
    --------
    >>> import rvh
    >>> rvh.backend() in ("native", "python")
    True
    """
    return next(name for name, module in BACKENDS.items() if module == _module.__name__)
