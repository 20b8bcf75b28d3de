"""Kernels of a pair of neurons: powers, families of activations, biases, and their derivatives."""
