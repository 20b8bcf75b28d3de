"""Norms, angles and the span of the neurons, to all their digits."""
