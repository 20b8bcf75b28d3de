"""Figures of the theory: exact formulas, their spectra and their flows. Every module here is a figure."""
