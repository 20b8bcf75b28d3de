"""The sums over pairs of ReLU neurons: plain, and over matched neurons near an optimum."""
