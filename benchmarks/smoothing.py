"""The share of keys that measurements move while no node changes, by the rule that smooths them.

    python benchmarks/smoothing.py [--fleets 20] [--updates 1000]

Fleets of 64 nodes, their round-trip times apart by a factor of 2 (log-normal), measured with
log-normal noise; spikes are 2% of the measurements, 2 to 128 times as long, on top of 10% noise.
Weights are `weights_from(rtt=...)`, shares are those of k=1 in closed form.

The first table counts all that moves after the first 32 updates, in which a smoother settles: mean
of the fleets, and the worst one. The second doubles the time of one node at a random update, every
node of every fleet in turn: after how many updates at least half of it is applied, and the share
that has moved 60 updates later beside that of the true times (median, and the middle 98%). The last
lines count keys instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

import rvh
from rvh.membership import Smoother
from rvh.weighted import weights_from

NODES, SETTLED = 64, 32
GAIN, FRESH = 0.1, 16  # of the rules that are compared with

#: log2 of measurements, shape (updates, nodes), to log2 of what is applied
Rule = Callable[[np.ndarray], np.ndarray]


def raw(octaves: np.ndarray) -> np.ndarray:
    return octaves


def average(octaves: np.ndarray) -> np.ndarray:
    applied = octaves.copy()
    for t in range(1, len(applied)):
        applied[t] = applied[t - 1] + GAIN * (octaves[t] - applied[t - 1])
    return applied


def deadband(octaves: np.ndarray) -> np.ndarray:
    """The average is applied when it is 1/4 octave off."""
    applied = average(octaves)
    for t in range(1, len(applied)):
        is_far = abs(applied[t] - applied[t - 1]) > 1 / 4
        applied[t] = np.where(is_far, applied[t], applied[t - 1])
    return applied


def plain(threshold: float) -> Rule:
    """The first level and an alarm are decided by the mean of 16, in steps of 1/8 octave."""

    def of_node(octaves: np.ndarray) -> list[float]:
        applied, level, drift, fresh = [], float(octaves[0]), 0.0, [float(octaves[0])]
        collecting, is_new = True, True
        for octave in octaves.tolist()[1:]:
            applied.append(level)
            if not collecting:
                drift += GAIN * (octave - level - drift)
                collecting = abs(drift) > threshold
                continue
            fresh.append(octave)
            if len(fresh) == FRESH:
                mean = sum(fresh) / FRESH
                if is_new or abs(mean - level) > threshold:
                    level = round(mean * 8) / 8
                collecting, is_new, drift, fresh = False, False, 0.0, []
        return [*applied, level]

    return lambda octaves: np.stack([of_node(column) for column in octaves.T], 1)


def smoother(threshold: float) -> Rule:
    def rule(octaves: np.ndarray) -> np.ndarray:
        smoother = Smoother(threshold)
        rows = (2.0**octaves).tolist()
        names = [str(n) for n in range(octaves.shape[1])]
        updates = (dict(zip(names, row, strict=True)) for row in rows)
        return np.log2([list(smoother.update(update).values()) for update in updates])

    return rule


RULES: dict[str, Rule] = {
    "none: 1/rtt": raw,
    "moving average": average,
    "moving average, dead band of 1/4 octave": deadband,
    "mean of 16, 0.3 octaves": plain(0.3),
    "mean of 16, 3/8 octave": plain(0.375),
    "Smoother(0.3)": smoother(0.3),
    "Smoother(), 3/8 octave": smoother(0.375),
}
KINDS = {"5%": (0.05, 0.0), "10%": (0.1, 0.0), "20%": (0.2, 0.0), "spikes": (0.1, 0.02)}


def share(before: np.ndarray, after: np.ndarray) -> float:
    """The share of keys that moves, from log2 of the times."""
    v, w = weights_from(rtt=2.0**before), weights_from(rtt=2.0**after)
    ratios = np.maximum(v / v[:, None], w / w[:, None])
    return float(1 - np.sum(1 / ratios.sum(axis=1)))


def measured(rng: np.random.Generator, true: np.ndarray, kind: str) -> np.ndarray:
    noise, spikes = KINDS[kind]
    times = true + noise / np.log(2) * rng.standard_normal(true.shape)
    is_spike = rng.random(true.shape) < spikes
    return np.where(is_spike, times + rng.uniform(1, 7, true.shape), times)


def fleet(rng: np.random.Generator, updates: int) -> np.ndarray:
    return np.tile(rng.normal(np.log2(0.010), 1, NODES), (updates, 1))


def moved(applied: np.ndarray) -> tuple[float, float]:
    """The shares moved while it settles, and afterwards."""
    changes = 1 + np.flatnonzero((applied[1:] != applied[:-1]).any(axis=1))
    shares = [(t, share(applied[t - 1], applied[t])) for t in changes]
    return sum(s for t, s in shares if t < SETTLED), sum(s for t, s in shares if t >= SETTLED)


def doubled(rng: np.random.Generator, rule: Rule, kind: str) -> tuple[list[int], list[float]]:
    """For each node of a fleet: the updates until it is applied, and moved / ideal."""
    true = fleet(rng, 400)
    when = rng.integers(100, 300, NODES)
    applied = rule(measured(rng, true + (np.arange(400)[:, None] >= when), kind))
    waits, ratios = [], []
    for node, start in enumerate(when):
        before = applied[99].copy()  # the others, before any of them doubles
        before[node] = applied[start - 1, node]
        after = before.copy()
        risen = applied[start:, node] > before[node] + 0.5
        waits.append(int(risen.argmax()) + 1 if risen.any() else 400)
        after[node] = applied[start + 60, node]
        twice = true[0].copy()
        twice[node] += 1
        ratios.append(share(before, after) / share(true[0], twice))
    return waits, ratios


def percent(share: float) -> str:
    return "0" if share == 0 else f"{share:,.0%}" if share > 1 else f"{share:.2%}"


def counted(rng: np.random.Generator) -> None:
    """The same by counting keys: one fleet settles, wobbles, and its first node doubles."""
    keys = np.arange(1 << 20)
    nodes = rvh.NodeSet([f"cache-{n}" for n in range(NODES)], scheme="murmur")
    true = fleet(rng, 1060)
    true[1000:, 0] += 1
    applied = smoother(0.375)(measured(rng, true, "10%"))
    owners = [
        nodes.with_weights(weights_from(rtt=2.0 ** applied[t])).argselect_batch(keys)
        for t in (SETTLED, 999, 1059)
    ]
    print(f"\n{len(keys):,} keys, 10% noise, from update {SETTLED} to 1,000:", end=" ")
    print(f"{np.mean(owners[0] != owners[1]):.4%} moved")
    print(f"and when one node doubles: {np.mean(owners[1] != owners[2]):.4%},", end=" ")
    print(f"in closed form {share(applied[999], applied[1059]):.4%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fleets", type=int, default=20)
    parser.add_argument("--updates", type=int, default=1000)
    options = parser.parse_args()
    print("| rule |", " | ".join(KINDS), "| while it settles, 5% / 20% |")
    print("|---|" + "---|" * (len(KINDS) + 1))
    for name, rule in RULES.items():
        cells, settling = [], {}
        # A rule without a threshold moves so much that two fleets tell.
        fleets = options.fleets if "octave" in name or "(" in name else min(2, options.fleets)
        for kind in KINDS:
            rows = []
            for seed in range(fleets):
                rng = np.random.default_rng(seed)
                rows.append(moved(rule(measured(rng, fleet(rng, options.updates), kind))))
            first, rest = np.array(rows).T
            settling[kind] = first.mean()
            cells.append(f"{percent(rest.mean())}, {percent(rest.max())}")
        print(f"| {name} |", " | ".join(cells), end=" | ")
        print(f"{settling['5%']:.1%} / {settling['20%']:.1%} |", flush=True)
    print("\n| a doubling | noise | applied after, median / worst | moved / ideal | within 15% |")
    print("|---|---|---|---|---|")
    for name in list(RULES)[-3:]:  # the others apply it in pieces, or miss it
        for kind in ("5%", "10%", "20%", "spikes"):
            waits, ratios = [], []
            for seed in range(options.fleets):
                some_waits, some_ratios = doubled(np.random.default_rng(seed), RULES[name], kind)
                waits += some_waits
                ratios += some_ratios
            low, middle, high = np.quantile(ratios, [0.01, 0.5, 0.99])
            within = np.mean(np.abs(np.array(ratios) - 1) <= 0.15)
            print(f"| {name} | {kind} | {np.median(waits):.0f} / {max(waits)}", end=" | ")
            print(f"{middle:.2f} ({low:.2f} to {high:.2f}) | {within:.1%} |", flush=True)
    counted(np.random.default_rng(0))


if __name__ == "__main__":
    main()
