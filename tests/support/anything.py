"""Any objects at all, as strategies of hypothesis: scalars, arrays, and collections of them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

__all__ = ["arrays", "nested", "scalars", "texts"]

#: any code point, lone surrogates too
texts = st.text(st.characters(codec=None, categories=None) | st.characters(categories=["Cs"]))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.complex_numbers(),
    texts,
    st.binary(),
    st.binary().map(bytearray),
    st.binary().map(memoryview),
    st.decimals(),
    st.fractions(),
    st.dates(),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from([object(), object, int, str, np.ndarray, len, Ellipsis, NotImplemented]),
    hnp.scalar_dtypes().flatmap(hnp.from_dtype),
)
dtypes = st.one_of(
    hnp.scalar_dtypes(),
    hnp.byte_string_dtypes(endianness="?"),
    hnp.unicode_string_dtypes(endianness="?"),
    hnp.array_dtypes(),
)
arrays = st.one_of(
    hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)),
    hnp.arrays(object, hnp.array_shapes(min_dims=0, max_dims=2), elements=scalars, fill=st.none()),
    st.lists(texts, max_size=4).map(lambda values: np.array(values, dtype=np.str_)),
)
nested = st.recursive(
    scalars | arrays,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.lists(st.text(max_size=3), max_size=1).map(frozenset),  # in one order everywhere
        st.lists(inner, max_size=3).map(iter),
        st.builds(range, st.integers(0, 20)),
    ),
    max_leaves=8,
)
