"""What a caller may pass besides keys: numbers, weights, masks, domains, values for each node."""
