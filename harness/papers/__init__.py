"""Published papers: their tables, values and protocols."""
