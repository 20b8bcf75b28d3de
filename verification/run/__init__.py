"""How claims are examined: settings, processes, what is kept, and the verdicts."""
