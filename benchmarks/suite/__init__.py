"""The asv suite: one suite for every version of rvh, so that their figures can be compared.

A benchmark of something that a version does not have raises NotImplementedError in `setup`, which
asv shows as n/a: nothing here is imported outside of `setup` that version 0.1.0 lacks.
"""
