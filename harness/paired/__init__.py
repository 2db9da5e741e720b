"""Two systems on the same queries: which differences are real, how large, and what the test could have seen."""
