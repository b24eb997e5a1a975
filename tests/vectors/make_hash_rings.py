# ruff: noqa: B905, UP031, UP036  # it runs under Python 2.7 too
"""How hash_ring.json and uhashring.json came to be: the packages themselves were asked.

    python2.7 make_hash_rings.py hash_ring 1.3.1 NEW_FILE  # it has no Python 3
    python make_hash_rings.py uhashring 2.5 NEW_FILE

Each row of a case is a key's nodes in the order of the ring, as positions in the list of nodes.
"""

import importlib
import json
import sys
from itertools import islice

KEYS = ["user:%d" % n for n in range(60)] + ["gr\xc3\xb6\xc3\x9fe/%d" % n for n in range(20)]
if sys.version_info[0] > 2:
    KEYS = [key.encode("latin-1").decode("utf-8") for key in KEYS]
LISTS = [(3, None), (25, None), (61, None), (3, [1, 18, 21]), (5, [1, 1, 1, 11, 11]), (2, [0, 1])]
FRACTIONS = [(3, [1.5, 2, 0.25]), (4, [0.1, 0.2, 0.3, 0.4]), (3, [9.8, 7.4, 7.3])]


def case(module, count, weights, options):
    nodes = ["10.0.0.%d:11211" % n for n in range(count)]
    given = None if weights is None else dict(zip(nodes, weights))
    if module.__name__ == "hash_ring":
        ring = module.HashRing(nodes, given)
    else:
        ring = module.HashRing(given or nodes, **options)
    keys = KEYS + ["%s-%d" % (node, n) for node in nodes[:3] for n in range(5)]  # points
    rows = [[nodes.index(node) for node in islice(filtered(ring, key), 2)] for key in keys]
    return {"options": options, "nodes": nodes, "weights": weights, "keys": keys, "rows": rows}


def filtered(ring, key):
    return (node for node in ring.iterate_nodes(key) if node is not None)


def main(name, version, path):
    module = importlib.import_module(name)
    each = [{}] if name == "hash_ring" else [{}, {"hash_fn": "ketama"}]
    lists = LISTS + (FRACTIONS if name == "hash_ring" else [])
    cases = [case(module, count, weights, options) for options in each for count, weights in lists]
    python = sys.version.split()[0]
    source = "%s %s under Python %s, by make_hash_rings.py" % (name, version, python)
    with open(path, "w") as file:
        file.write('{"source": %s,\n"cases": [\n' % json.dumps(source))
        file.write(",\n".join(map(json.dumps, cases)) + "\n]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
