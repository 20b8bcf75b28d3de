"""Networks of several neurons."""
