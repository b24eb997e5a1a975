"""The scenarios of ``rvh bench``, their timing, and their figures as CSV, table and plot.

Nothing here is imported by ``import rvh``, and nothing here needs more than rvh itself, but for
the plot, which needs matplotlib.
"""
