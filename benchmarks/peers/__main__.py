"""rvh and the packages one would take instead of it, on the same keys and nodes, in one run.

    python benchmarks/peers [--quick] [--only PATTERN] [--venv DIR] [--out DIR]

Makes a virtual environment, installs rvh from this checkout and each peer as peers.txt pins it, and
measures there. What cannot be installed is a row that says why. fastring needs Python 3.13.
`--here` measures in the Python that runs this and installs nothing.

Keys are `user:%08d` (integers for jump hash), nodes `cache-%03d.eu-west-1:11211`, on one thread,
262,144 keys a call at most. Every round goes through all peers, some 0.1 seconds each; a figure is
the median over the rounds. Speed alone compares unlike things, so each row also says what the
peer's own answers were seen to guarantee.

Prints Markdown, and writes three files. `peers.svg` is a chart, `peers.md` the Markdown,
`peers.csv` has a row for each measurement:

    peer, version, keys_as, answers_as    what was measured
    nodes, k, weighted                    the task; weights are 1, 2, 3, 1, 2, 3, ...
    status                                "ok", or why there is no figure
    keys, keys_per_s, slowest, fastest    keys of a call; the median over the rounds, and the ends
    and for the peer as a whole, at 64 nodes and as many keys as it does in a second:
    seen_keys                             how many keys the following was seen with
    balance, balance_ideal                largest load / mean load; the same of a random assignment
    moved_add                             share of the keys that moved between two old nodes when
                                          one was added; 0 is minimal movement
    moved_remove, moved_remove_last       share that moved though its node stayed, when one in the
                                          middle was removed, and when the last one was
    weights_error, weights_error_ideal    largest relative error of a node's share of the keys; the
                                          same of a random assignment by those weights
    distinct                              share of the answers for k=3 with three different nodes
    leaves                                "any" or "last": which nodes may leave without more moves
    note
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import peers_install

BUILD = Path(__file__).resolve().parents[2] / "build"
#: read by engines when they are imported
ONE_THREAD = dict.fromkeys(
    ("POLARS_MAX_THREADS", "RVH_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"), "1"
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--venv", type=Path, default=BUILD / "peers", metavar="DIR")
    parser.add_argument("--out", type=Path, default=BUILD / "peers-results", metavar="DIR")
    parser.add_argument("--only", action="append", metavar="PATTERN", help="peers, as in 'rvh*'")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few keys, no 1,024 nodes, one round")
    parser.add_argument("--here", action="store_true", help="install nothing, measure right here")
    parser.add_argument("--reasons", type=Path, help=argparse.SUPPRESS)  # why peers are missing
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    return options


def inside(options: argparse.Namespace) -> int:
    """Measure: rvh and the peers are installed, or their rows say that they are not."""
    os.environ.update(ONE_THREAD)
    # Not before: whoever starts the command has neither NumPy nor rvh.
    import peers_measure
    import peers_report
    import peers_table

    chosen = peers_table.matching(options.only)
    if not chosen:
        print(f"--only: no peer is named like {options.only}", file=sys.stderr)
        return 2
    reasons = json.loads(options.reasons.read_text(encoding="utf-8")) if options.reasons else {}
    scale = peers_measure.QUICK if options.quick else peers_measure.FULL
    rounds = 1 if options.quick else options.rounds
    found = peers_measure.measure(chosen, scale, rounds, reasons)
    peers_report.write(found, peers_report.setting(scale, rounds), options.out)
    return 0


def outside(options: argparse.Namespace) -> int:
    """Install, then run this same command inside."""
    python = peers_install.environment(options.venv)
    reasons = options.venv / "missing.json"
    reasons.write_text(json.dumps(peers_install.install(python, options.venv)), encoding="utf-8")
    again = [str(python), str(Path(__file__).resolve()), "--here", "--reasons", str(reasons)]
    return peers_install.run([*again, *sys.argv[1:]])


def main() -> int:
    options = arguments()
    try:  # before minutes of work
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "peers.csv").open("a", encoding="utf-8").close()
    except OSError as error:
        print(f"--out: {error}", file=sys.stderr)
        return 2
    try:
        return inside(options) if options.here else outside(options)
    except KeyboardInterrupt:  # nothing is half written: results come at the end
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
