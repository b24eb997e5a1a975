"""The scenario suite behind ``rvh bench``: what is measured, how, and what the figures become.

Nothing here is imported by ``import rvh``, and nothing here needs more than rvh itself, but for
the plot, which needs matplotlib.
"""
