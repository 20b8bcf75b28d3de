"""What is found, for readers and for programs: a table, a JSON record, a page."""
