"""Columns of keys: their kinds, the bytes of their elements, reading them, Arrow."""
