"""Image networks of the experiments, as equinox modules without state: they vmap over seeds and over images."""
