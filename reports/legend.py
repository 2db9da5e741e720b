"""How to read a cell."""

from harness.verdict import MEANING

CELL = (
    "Each cell: the reproduced mean and its difference from the paper's value; the 95 % interval (s: over seeds, "
    "u: over users); with several seeds, half the 95 % prediction interval of one more run, which decides the verdict; "
    "the exact mean over users where another estimator is shown; the paper's value; the verdict "
    "(docs/statistics.md has the formulas)."
)
PLACES = "Best and second of a row and data set are marked by the exact mean, where two systems or more were run."
VERDICTS = tuple(MEANING.items())
