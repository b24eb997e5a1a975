"""Which rvh this is: the version of the build, or that of a source tree that nothing has built."""

__all__ = ["__version__"]

try:
    from rvh._version import __version__
# FileNotFoundError: an editable install was made at another commit, and its file is gone.
except (ModuleNotFoundError, FileNotFoundError):
    __version__ = "0.0.0+unknown"  # as pyproject.toml has it for a build without a tag
