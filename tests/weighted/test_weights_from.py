"""weights_from: the formula, by fractions and mpmath; what counts as missing; bounds, errors."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh import RVHError, RVHTypeError
from rvh.weighted import EXPONENTS, weights_from

NAN = float("nan")


def exactly(
    measures: dict[str, list[float | None]], exponents: dict[str, float], bounds: Any = None
) -> list[mpmath.mpf]:
    """The formula with 60 digits."""
    with mpmath.workdps(60):
        weights = [mpmath.mpf(1)] * len(next(iter(measures.values())))
        for name, values in measures.items():
            there = [Fraction(value) for value in values if value is not None]
            median = statistics.median(there)
            for n, value in enumerate(values):
                if value is not None and exponents[name] != 0:
                    ratio = Fraction(value) / median
                    base = mpmath.mpf(ratio.numerator) / ratio.denominator
                    weights[n] = weights[n] * base ** mpmath.mpf(exponents[name])
        if bounds is not None:
            weights = [min(max(weight, mpmath.mpf(bounds[0])), bounds[1]) for weight in weights]
        return weights


# -- the formula --------------------------------------------------------------------------------


def test_the_docstring_in_fractions() -> None:
    found = weights_from(capacity=[8, 16, 32], rtt=[10.0, 20.0, None])
    assert found.tolist() == [0.5 * 15 / 10, 1 * 15 / 20, 2.0]
    assert found.dtype == np.float64
    assert EXPONENTS == {"stake": 1.0, "capacity": 1.0, "rtt": -1.0}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3], [1]),
        ([1, 2], [2 / 3, 4 / 3]),  # an even number has the middle between two as its median
        ([1, 2, 4], [0.5, 1, 2]),
        ([4, 1, 2], [2, 0.5, 1]),
        ([0, 1, 1], [0, 1, 1]),
        ([1, 1, 3, 1000], [0.5, 0.5, 1.5, 500]),
    ],
)
def test_over_the_median(values: list[float], expected: list[float]) -> None:
    for name in ("stake", "capacity"):
        assert weights_from(**{name: values}).tolist() == expected
    if all(values):
        inverse = weights_from(rtt=values)
        median = statistics.median(values)
        assert inverse.tolist() == [median / value for value in values]


value = st.floats(1e-6, 1e6) | st.integers(1, 10**9)


@given(data=st.data(), n=st.integers(1, 8))
def test_any_measures(data: st.DataObject, n: int) -> None:
    names = data.draw(st.lists(st.sampled_from([*EXPONENTS]), min_size=1, unique=True))
    some = st.lists(value | st.none(), min_size=n, max_size=n)
    measures = {name: data.draw(some.filter(any)) for name in names}
    exponents = dict(EXPONENTS)
    given_exponents = {}
    for name in names:
        if data.draw(st.booleans()):
            size = data.draw(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.25]))
            given_exponents[name] = exponents[name] = -size if name == "rtt" else size
    bounds = data.draw(st.none() | st.just((0.25, 4.0)))
    found = weights_from(**measures, exponents=given_exponents, bounds=bounds)
    expected = exactly(measures, exponents, bounds)
    # The median's and each power's rounding, and that of two products.
    for got, exact in zip(found.tolist(), expected, strict=True):
        assert abs(got - exact) <= abs(exact) * mpmath.mpf(2) ** -49


@pytest.mark.parametrize("exponent", [0.5, 0.1, 2.0, 3.0, 1 / 3, 64.0, 1e-3])
def test_powers_are_rounded_correctly(exponent: float) -> None:
    # So their bits are the same everywhere, which libm's pow does not promise. The median is 1.
    values = [0.5, 1.0, 2.0, 1 / 3, 1.0, 3.7, 1.0, 1e-4, 1e4]
    stake = weights_from(values, exponents={"stake": exponent})
    rtt = weights_from(rtt=values, exponents={"rtt": -exponent})
    with mpmath.workdps(60):
        for n, base in enumerate(values):
            power = mpmath.power(mpmath.mpf(base), mpmath.mpf(exponent))
            assert stake[n] == float(power)
            assert rtt[n] == float(1 / power)


#: (1/3)^0.7, (2/3)^0.7, 1, (5/3)^0.7, (7/3)^0.7, by mpmath
POWERS = [
    "0x1.da960f3ef58e9p-2",
    "0x1.817bd74cd556dp-1",
    "0x1.0000000000000p+0",
    "0x1.6e0b6fa2f8dc0p+0",
    "0x1.cf4243505bf6fp+0",
]


def test_the_bits_of_some_powers() -> None:
    found = weights_from([1, 2, 3, 5, 7], exponents={"stake": 0.7})
    assert [weight.hex() for weight in found.tolist()] == POWERS


def test_units_do_not_matter() -> None:
    one = weights_from([3, 5, 9], [1.5, 2, 4], [0.25, 0.5, 1])
    assert one.tolist() == weights_from([3072, 5120, 9216], [3, 4, 8], [1, 2, 4]).tolist()


def test_an_exponent_of_zero_leaves_a_measure_out() -> None:
    one = weights_from([1, 2, 4])
    assert one.tolist() == weights_from([1, 2, 4], [9, 1, 0], exponents={"capacity": 0}).tolist()
    left_out = weights_from([0, 0, 3], exponents={"stake": 0})  # its median does not matter either
    assert left_out.tolist() == [1, 1, 1]
    assert weights_from(rtt=[1, 2, 9], exponents={"rtt": 0}).tolist() == [1, 1, 1]


def test_bounds() -> None:
    values = [1, 10, 100, 1000, 0]
    assert weights_from(values).tolist() == [0.1, 1, 10, 100, 0]
    assert weights_from(values, bounds=(0.5, 20)).tolist() == [0.5, 1, 10, 20, 0.5]
    assert weights_from(values, bounds=(0, 10)).tolist() == [0.1, 1, 10, 10, 0]
    assert weights_from(values, bounds=[2, 2]).tolist() == [2] * 5
    # The product is clamped, not each measure.
    both = weights_from([1, 10, 100], [100, 10, 1], bounds=(0.5, 2))
    assert both.tolist() == [1, 1, 1]
    # Too large for a double, but not for bounds.
    assert weights_from([1, 1, 1e300], [1, 1, 1e300], bounds=(0, 5)).tolist() == [1, 1, 5]


def test_they_are_weights_of_a_set() -> None:
    weights = weights_from(capacity=[8, 16, 32, 0], rtt=[10, None, 20, 30])
    ns = rvh.NodeSet(["a", "b", "c", "d"], weights=weights)
    assert ns.weights is not None
    assert ns.weights.tolist() == weights.tolist()
    assert "d" not in ns.select("any", 3)


# -- what is missing ----------------------------------------------------------------------------

MISSING = {
    "None": [2, None, 8, 4],
    "NaN": [2, NAN, 8, 4],
    "a tuple": (2, None, 8, 4),
    "an array with NaN": np.array([2, NAN, 8, 4]),
    "float32 with NaN": np.array([2, NAN, 8, 4], np.float32),
    "objects with None": np.array([2, None, 8, 4], object),
    "Decimal": [Decimal(2), None, Fraction(8), Decimal("4.0")],
    "Decimal NaN": [2, Decimal("NaN"), 8, 4],
    "masked": np.ma.array([2.0, 99, 8, 4], mask=[0, 1, 0, 0]),
    "masked integers": np.ma.array([2, 99, 8, 4], mask=[0, 1, 0, 0]),
}


@pytest.mark.parametrize("kind", MISSING)
def test_what_is_missing_counts_as_the_median(kind: str) -> None:
    values = MISSING[kind]
    assert weights_from(values).tolist() == [0.5, 1, 2, 1]
    assert weights_from(rtt=values).tolist() == [2, 1, 0.5, 1]
    assert weights_from(values, [1, 3, 1, 1]).tolist() == [0.5, 3, 2, 1]


@pytest.mark.parametrize("values", [[None, None], [NAN, NAN], np.array([NAN, NAN])])
def test_a_measure_without_any_value_is_neutral(values: Any) -> None:
    assert weights_from(values).tolist() == [1, 1]
    assert weights_from(values, rtt=[1, 3]).tolist() == weights_from(rtt=[1, 3]).tolist()


def test_the_callers_values_are_not_written_to() -> None:
    values = np.array([2.0, 4.0, 8.0])
    found = weights_from(values)
    found[:] = 0
    assert values.tolist() == [2, 4, 8]
    listed = [2, None, 8]
    weights_from(listed)
    assert listed == [2, None, 8]


# -- errors -------------------------------------------------------------------------------------


def of(*args: Any, **options: Any) -> Callable[[], object]:
    return lambda: weights_from(*args, **options)


BAD: dict[str, tuple[Callable[[], object], type[RVHError], str]] = {
    "no measure": (of(), RVHError, "no measure.*stake=.*capacity=.*rtt="),
    "only bounds": (of(bounds=(0, 1)), RVHError, "no measure"),
    "empty": (of([]), RVHError, "stake is empty"),
    "a number": (of(3), RVHTypeError, "stake is 3.*each node"),
    "text": (of("123"), RVHTypeError, "stake.*str"),
    "a dict": (of({"a": 1}), RVHTypeError, "stake is a dict"),
    "a set": (of({1, 2}), RVHTypeError, "stake is a set"),
    "a generator": (of(x for x in [1]), RVHTypeError, "stake is"),
    "2-D": (of(np.ones((2, 2))), RVHError, r"stake has shape \(2, 2\)"),
    "ragged": (of([[1], [1, 2]]), RVHError, "stake is ragged"),
    "lengths": (of([1, 2], [1, 2, 3]), RVHError, "capacity has 3 values.*2"),
    "lengths of rtt": (of(capacity=[1, 2], rtt=[1]), RVHError, "rtt has 1 values.*2"),
    "a negative stake": (of([1, -2.5]), RVHError, "stake at position 1 is -2.5.*0 or more"),
    "an infinite capacity": (of(capacity=[1, np.inf]), RVHError, "capacity at position 1 is inf"),
    "an rtt of 0": (of(rtt=[1, 0]), RVHError, "rtt at position 1 is 0.*above 0"),
    "a negative rtt": (of(rtt=[-1, 1]), RVHError, "rtt at position 0 is -1.*above 0"),
    "an infinite rtt": (of(rtt=[1, np.inf]), RVHError, "rtt at position 1 is inf"),
    "text in a list": (of([1, None, "2"]), RVHTypeError, "stake.*position"),
    "bools": (of([True, False]), RVHTypeError, "stake.*position 0.*bool"),
    "a bool array": (of(np.array([True])), RVHTypeError, "stake.*position 0.*bool"),
    "complex": (of([1j]), RVHTypeError, "stake.*position 0.*complex"),
    "a median of 0": (of([0, 0, 5]), RVHError, "median of stake is 0"),
    "too large": (of([1, 1, 1e300], [1, 1, 1e300]), RVHError, "position 2.*more than a double"),
    "an unknown exponent": (of([1], exponents={"x": 1}), RVHError, "'x'.*stake, capacity, rtt"),
    "exponents as a list": (of([1], exponents=[1]), RVHTypeError, "exponents is.*dict"),
    "an exponent as text": (of([1], exponents={"stake": "1"}), RVHTypeError, "exponents.*stake"),
    "no exponent": (of([1], exponents={"stake": None}), RVHTypeError, "exponents.*stake"),
    "a negative exponent": (
        of([1], exponents={"stake": -1}),
        RVHError,
        "stake is -1.*from 0 to 64",
    ),
    "a positive one of rtt": (of([1], exponents={"rtt": 1}), RVHError, "rtt is 1.*from -64 to 0"),
    "a NaN exponent": (of([1], exponents={"stake": NAN}), RVHError, "stake is nan"),
    "a large exponent": (of([1], exponents={"stake": 65}), RVHError, "stake is 65.*from 0 to 64"),
    "a large one of rtt": (of([1], exponents={"rtt": -65}), RVHError, "rtt is -65.*from -64 to 0"),
    "one bound": (of([1], bounds=3), RVHTypeError, r"bounds is 3.*\(low, high\)"),
    "three bounds": (of([1], bounds=(1, 2, 3)), RVHTypeError, "low, high"),
    "bounds the wrong way": (of([1], bounds=(2, 1)), RVHError, "0 <= low <= high"),
    "a negative bound": (of([1], bounds=(-1, 1)), RVHError, "0 <= low <= high"),
    "an infinite bound": (of([1], bounds=(0, np.inf)), RVHError, "high finite"),
    "a NaN bound": (of([1], bounds=(NAN, 1)), RVHError, "bounds"),
    "bounds of 0": (of([1], bounds=(0, 0)), RVHError, "above 0"),
    "a bound as text": (of([1], bounds=(0, None)), RVHTypeError, "bounds"),
}


@pytest.mark.parametrize("name", BAD)
def test_error(name: str) -> None:
    call, kind, named = BAD[name]
    with pytest.raises(RVHError, match=named) as caught:
        call()
    assert type(caught.value) is kind
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_a_factor_of_zero_beside_one_that_overflows() -> None:
    # 1e300^64 is more than a double holds, and the other factor is 0.
    found = weights_from([1, 1, 1e300, 1], [1, 1, 0, 1], exponents={"stake": 64.0}, bounds=(0.5, 5))
    assert found.tolist() == [1, 1, 0.5, 1]


def test_the_median_of_the_largest_numbers() -> None:
    assert weights_from([1.5e308, 1.5e308]).tolist() == [1, 1]
