"""The logarithm of weighted ranking: within 1 ulp of -ln(u), and the same bits everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference
from mpmath import libmp
from sizes import large

from rvh._backend import neg_log
from rvh._backend.pure import schemes as _schemes

UNIT = 2**53  # m counts in units of 2^-53
#: of src/rvh_kernels/tests/test_kernels.c, which every processor of either byte order computes
NEG_LOG_SUM = 0xEDD0F6FCA569FE7F
#: bits of the exact logarithm
PRECISION = 90


def of_backend(numbers: np.ndarray) -> np.ndarray:
    out = np.full(len(numbers), np.nan)
    neg_log(numbers, out)
    return out


def error_in_ulps(m: int, got: float) -> float:
    """|got - exact| in units of the last of the 53 digits of exact = -ln(m * 2^-53)."""
    _, mantissa, exponent, bits = libmp.mpf_neg(
        libmp.mpf_log(libmp.from_man_exp(m, -53), PRECISION)
    )
    # exact = mantissa * 2^exponent, made PRECISION bits long; got in the same units is whole
    mantissa <<= PRECISION - bits
    exponent -= PRECISION - bits
    fraction, shift = math.frexp(got)
    same = int(fraction * UNIT) << shift - 53 - exponent
    return abs(same - mantissa) / 2 ** (PRECISION - 53)


def edges() -> list[int]:
    """Borders: powers of two, sqrt(1/2) of every power, both ends of the range."""
    found = {*range(1, 2000), *range(UNIT - 2000, UNIT)}
    for e in range(54):
        found |= {2**e + step for step in range(-2, 3)}
        root = math.isqrt(2 ** (2 * e + 1) // 4)  # 2^e * sqrt(1/2), down
        found |= {root + step for step in range(-3, 5)}
        found |= {UNIT - 2**e + step for step in range(-2, 3)}
    return sorted(m for m in found if 0 < m < UNIT)


def million() -> np.ndarray:
    """u of every size: a third uniform, a third next to 0, a third next to 1."""
    rng = np.random.default_rng(53)
    uniform = rng.integers(1, UNIT, 334_000, dtype=np.uint64)
    shifts = rng.integers(0, 53, 666_000).astype(np.uint64)
    small = (rng.integers(1, UNIT, 666_000, dtype=np.uint64) >> shifts) | np.uint64(1)
    return np.concatenate([uniform, small[::2], np.uint64(UNIT) - small[1::2]])


@pytest.mark.parametrize("which", ["edges", pytest.param("a million", marks=large)])
def test_within_one_ulp_and_the_bits_of_python_floats(which: str) -> None:
    numbers = np.array(edges(), np.uint64) if which == "edges" else million()
    assert len(numbers) >= (4500 if which == "edges" else 1_000_000)
    got = of_backend(numbers)
    plain = numbers.tolist()
    assert np.array_equal(got, np.array([reference.neg_log(m) for m in plain]))
    assert np.array_equal(got, np.array([_schemes.neg_log(m) for m in plain]))
    worst = max(map(error_in_ulps, plain, got.tolist()))
    assert 0.5 < worst <= 1.0  # not correctly rounded, so below 1/2 the measure would be wrong


def test_the_measure_of_errors() -> None:
    # ln(2) is 0x1.62e42fefa39ef35793c7673007e5ed5e81e69...p-1
    fraction = 0x35793C7673007E5ED5E81E69 / 16**24  # what follows the 53rd digit
    assert error_in_ulps(2**52, math.log(2)) == pytest.approx(fraction, rel=1e-9)
    above = math.nextafter(math.log(2), 1)
    assert error_in_ulps(2**52, above) == pytest.approx(1 - fraction, rel=1e-9)
    assert error_in_ulps(2**52, 0.5) > 1e14


def test_the_logarithm_falls_and_is_never_zero() -> None:
    # So a higher u never ranks below a lower one: neighbours at every edge, and far ones.
    numbers = np.array(edges(), np.uint64)
    values = of_backend(numbers)
    assert (values > 0).all()
    assert (np.diff(values) <= 0).all()
    assert values[0] == 53 * math.log(2)
    assert values[-1] == 2.0**-53


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 100])
def test_any_number_of_them(count: int) -> None:
    numbers = million()[-count - 1 : -1]
    assert of_backend(numbers).tolist() == [reference.neg_log(m) for m in numbers.tolist()]


def stream_of_the_c_test() -> list[np.ndarray]:
    """The numbers of test_neg_log() in test_kernels.c: SplitMix64 from 2024, two outputs each."""
    state = np.uint64(2024) + np.arange(1, 2_000_001, dtype=np.uint64) * np.uint64(
        0x9E3779B97F4A7C15
    )
    z = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    m = (z[1::2] >> (z[::2] % np.uint64(53) + np.uint64(11))) | np.uint64(1)
    m[1::2] = np.uint64(UNIT) - m[1::2]
    return [row[: 1000 - number % 9] for number, row in enumerate(m.reshape(1000, 1000))]


@pytest.mark.parametrize(
    "which", ["the backend in use", pytest.param("Python floats", marks=large)]
)
def test_the_sum_of_every_processor(which: str) -> None:
    total = 0
    for numbers in stream_of_the_c_test():
        values = (
            of_backend(numbers)
            if which == "the backend in use"
            else np.array([reference.neg_log(m) for m in numbers.tolist()])
        )
        for bits in values.view(np.uint64).tolist():
            total = (total * 0x9E3779B97F4A7C15 + bits) % 2**64
    assert total == NEG_LOG_SUM
