# The build writes the module, from the repository's tags: generate, in pyproject.toml.
__version__: str
