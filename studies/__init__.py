"""Computations too long for a figure: they keep their results in a table, which the figure draws."""
