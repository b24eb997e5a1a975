"""Signals that are handled in time, and locks that survive a fork."""
