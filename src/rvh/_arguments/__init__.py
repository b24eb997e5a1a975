"""Checks of arguments besides keys: numbers, weights, masks, domains, values for each node."""
