"""The version, in one place: the build reads this line."""

__version__ = "0.1.0"
