"""``python -m rvh``: the command line, also where its script is not on the path."""

from __future__ import annotations

from rvh.cli import script

if __name__ == "__main__":
    script()
