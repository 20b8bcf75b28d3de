"""Expectations over one and two Gaussian pre-activations: one kernel per order of the loss."""
