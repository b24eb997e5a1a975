"""Weights from measures of nodes: stake, capacity, latency.

This module computes weights; `NodeSet(..., weights=...)` ranks by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import real_numbers
from rvh._columns.values import of_view
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["EXPONENTS", "weights_from"]

#: the default exponents of the measures; a longer round trip weighs less
EXPONENTS = {"stake": 1.0, "capacity": 1.0, "rtt": -1.0}

#: Powers are computed in decimal, since each of its steps is rounded correctly on every platform.
#: Those of the C library are not, and the last bit of a weight can move a key. Where a power is the
#: middle of two doubles the steps decide, so the digits are a part of the contract.
_DECIMAL = Context(prec=40)


def weights_from(
    stake: Any = None,
    capacity: Any = None,
    rtt: Any = None,
    *,
    exponents: Mapping[str, float] | None = None,
    bounds: tuple[float, float] | None = None,
) -> NDArray[np.float64]:
    r"""Compute the weights of N nodes from up to three measures of them.

    .. math:: w_i = \mathrm{clamp}\left(\prod_m (x_{m,i} / \mathrm{median}(x_m))^{e_m}\right)

    In words: divide each measure by its median over the nodes, raise it to its exponent, multiply
    the results and clamp the product. A node with the median of every measure weighs 1, and units
    do not matter. The bits are the same on every machine.

    Parameters
    ----------
    stake, capacity : sequence or array of numbers, shape (N,), optional
        0 or more, in any unit: tokens, bytes, requests a second. More weighs more.
    rtt : sequence or array of numbers, shape (N,), optional
        Round-trip times, above 0, in any unit. Longer weighs less.
    exponents : mapping of str to float, optional
        Exponents of some measures, instead of 1 for stake and capacity and -1 for rtt. With 0 a
        measure has no effect; 0.5 takes its square root. At most 0 for rtt, at least 0 for the
        others.
    bounds : (low, high), optional
        The lowest and the highest weight: 0 <= low <= high, high above 0. By default nothing is
        clamped, and a node whose stake or capacity is 0 has weight 0.

    Returns
    -------
    ndarray of float64, shape (N,)
        For ``weights=``. A missing value (None or NaN) counts as the median: factor 1.

    Raises
    ------
    RVHError
        No measure, measures of different lengths, a negative or infinite value, an rtt of 0, a
        median of 0, invalid bounds or exponents. The message names the position.
    RVHTypeError
        A measure that is not an array of numbers.

    Examples
    --------
    >>> from rvh.weighted import weights_from
    >>> weights_from(capacity=[8, 16, 32], rtt=[10.0, 20.0, None])
    array([0.75, 0.75, 2.  ])
    >>> weights_from(stake=[1, 100, 1_000_000], exponents={"stake": 0.5}, bounds=(0.25, 4))
    array([0.25, 1.  , 4.  ])
    """
    measures = {
        name: values
        for name, values in {"stake": stake, "capacity": capacity, "rtt": rtt}.items()
        if values is not None
    }
    if not measures:
        raise RVHError("no measure is given: pass stake=, capacity= or rtt=")
    exponent_of = _check_exponents(exponents)
    low, high = _check_bounds(bounds)
    product: NDArray[np.float64] | None = None
    for name, values in measures.items():
        numbers = _check_measure(name, values, None if product is None else len(product))
        factors = _factors(name, numbers, exponent_of[name])
        with np.errstate(over="ignore", invalid="ignore"):
            product = factors if product is None else product * factors
        product[np.isnan(product)] = 0  # 0 times a factor that overflowed
    assert product is not None
    if not np.isfinite(product).all():
        at = int((~np.isfinite(product)).argmax())
        if bounds is None:
            raise RVHError(
                f"the weight at position {at} is more than a double holds: give bounds=(low, high)"
            )
    return np.clip(product, low, high)


def _check_measure(name: str, values: Any, length: int | None) -> NDArray[np.float64]:
    """Return the values of one measure; missing ones are NaN."""
    values = of_view(values, name)
    if np.ma.isMaskedArray(values):
        values = values.tolist()  # masked elements become None
    if isinstance(values, (list, tuple)) or (
        isinstance(values, np.ndarray) and values.dtype == object and values.ndim == 1
    ):
        values = [np.nan if value is None else value for value in values]
    if not hasattr(values, "__len__") or getattr(values, "ndim", 1) == 0:
        raise RVHTypeError(f"{name} is {show(values)}: pass one number for each node")
    if length is not None and len(values) != length:
        raise RVHError(
            f"{name} has {len(values)} values, the measure before it {length}: "
            "each needs one for each node, None where it is missing"
        )
    numbers = real_numbers(values, name, [f"node {n}" for n in range(len(values))])
    if len(numbers) == 0:
        raise RVHError(f"{name} is empty: pass one number for each node")
    domain = "above 0" if name == "rtt" else "0 or more"
    wrong = np.isinf(numbers) | (numbers <= 0 if name == "rtt" else numbers < 0)
    if wrong.any():
        at = int(wrong.argmax())
        raise RVHError(
            f"{name} at position {at} is {numbers[at]}: it has to be finite and {domain}; "
            "None or NaN stands for a value that is missing"
        )
    return numbers + 0.0  # -0.0 is 0


def _factors(name: str, numbers: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Return (x / median)^exponent, and 1 for a missing x."""
    present = ~np.isnan(numbers)
    factors = np.ones(len(numbers))
    if exponent == 0 or not present.any():
        return factors
    median = _median(numbers[present])
    if median == 0:
        raise RVHError(
            f"the median of {name} is 0, so nothing can be measured by it: "
            f"give weights of your own, or omit {name}="
        )
    with np.errstate(over="ignore"):
        if exponent == 1:
            factors[present] = numbers[present] / median
        elif exponent == -1:
            factors[present] = median / numbers[present]
        else:
            values, places = np.unique(numbers[present], return_inverse=True)
            powers = [_power(value, median, exponent) for value in values.tolist()]
            factors[present] = np.array(powers)[places.ravel()]
    return factors


def _median(numbers: NDArray[np.float64]) -> float:
    """Return the median, without overflow where the middle two are very large."""
    ordered = np.sort(numbers)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(low if low == high else low / 2 + high / 2)


def _power(value: float, median: float, exponent: float) -> float:
    if value == 0:
        return 0.0
    ratio = _DECIMAL.divide(Decimal(value), Decimal(median))
    logarithm = _DECIMAL.multiply(_DECIMAL.ln(ratio), Decimal(exponent))
    return float(_DECIMAL.exp(logarithm))


def _check_exponents(exponents: Mapping[str, float] | None) -> dict[str, float]:
    """Return the exponents of all measures."""
    merged = dict(EXPONENTS)
    if exponents is None:
        return merged
    if not isinstance(exponents, Mapping):
        raise RVHTypeError(
            f"exponents is {show(exponents)}: pass a dict, for example {{'stake': 0.5}}"
        )
    for name, value in exponents.items():
        if name not in EXPONENTS:
            raise RVHError(f"exponents has {show(name)}: the measures are {', '.join(EXPONENTS)}")
        number = float(real_numbers([value], f"exponents[{name!r}]", ["the measure"])[0])
        span = "from -64 to 0, since longer weighs less" if name == "rtt" else "from 0 to 64"
        if not abs(number) <= 64 or (number > 0 if name == "rtt" else number < 0):
            raise RVHError(f"the exponent of {name} is {show(value)}: it has to be {span}")
        merged[name] = number
    return merged


def _check_bounds(bounds: tuple[float, float] | None) -> tuple[float, float]:
    if bounds is None:
        return 0.0, np.inf
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise RVHTypeError(f"bounds is {show(bounds)}: pass (low, high)")
    low, high = real_numbers(bounds, "bounds", ["low", "high"]).tolist()
    if not (0 <= low <= high and 0 < high < np.inf):
        raise RVHError(f"bounds is {show(bounds)}: 0 <= low <= high, high finite and above 0")
    return low, high
