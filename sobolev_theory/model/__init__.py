"""The setting: networks, activations, Gaussian inputs, Sobolev losses, and the checks of what users pass."""
