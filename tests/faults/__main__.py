"""Disks that are full, kills and closed pipes, for all that writes and all commands.

    unshare -rm python tests/faults disk    # on disks of its own, full in one way or the other
    python tests/faults kill 500            # so many kills
    python tests/faults streams             # in processes that are forked
    python tests/faults streams 1 1         # in processes of their own, as a shell starts them

A line that names a writer or a command is a fault.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1] / "support"))

if __name__ == "__main__":
    import disk
    import kills
    import streams
    from writers import prepare

    parts = {"disk": disk.run, "kill": kills.run, "streams": streams.run}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("in", "out", "disk"):
            Path(folder, name).mkdir()
        with open(os.devnull, "w", encoding="utf-8") as sys.stderr:
            prepare(Path(folder, "in"))
        sys.stderr = sys.__stderr__
        asked = sys.argv[1:]
        while asked:
            part = asked.pop(0)
            numbers = []
            while asked and asked[0].isdigit():
                numbers.append(int(asked.pop(0)))
            print(parts[part](Path(folder), *numbers), flush=True)
