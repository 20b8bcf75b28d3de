"""The command line: which figures there are, and the table of them."""
