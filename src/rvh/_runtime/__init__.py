"""Signals that are handled in time, locks that survive a fork, files that are replaced whole."""
