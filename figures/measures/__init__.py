"""How results are measured and compared: norms of images, distances of samples, ratios over seeds."""
