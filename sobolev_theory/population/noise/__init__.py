"""Second moments of the per-sample gradient in the weights, for input N(0, I)."""
