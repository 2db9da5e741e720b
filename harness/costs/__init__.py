"""What ranking costs: planned, measured, kept, and put beside what a paper's figures print."""
