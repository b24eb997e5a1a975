"""Which rvh this is: the version of the build, or that of a source tree that nothing has built."""

__all__ = ["__version__"]

try:
    from rvh._version import __version__
# Of an editable install of another commit, which knows files that are gone, it is the second.
except (ModuleNotFoundError, FileNotFoundError):
    __version__ = "0.0.0+unknown"  # `pip install --editable .` finds it out
