"""Exact population losses, their two gradients and their Jacobians, as sums over pairs of neurons."""
