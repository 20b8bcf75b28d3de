"""Experiments: networks trained to test a statement of the paper. Every module here is a figure."""
