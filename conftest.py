"""Imports rvh as it is installed, before pytest imports a file of it: `pytest src/rvh/nodes.py`.

The file would otherwise bring its package from the source folder, where nothing is compiled.
"""

import rvh  # noqa: F401
