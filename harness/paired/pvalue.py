"""How a p-value is printed: never as 0, which no test can give."""

SMALLEST = 1e-300  # below it a p-value or a bound may have become 0 by underflow alone


def as_text(p: float | None) -> str:
    """Three digits behind the point, two significant ones below 0.001, or a hyphen where there is none."""
    if p is None:
        return "-"
    return "<1e-300" if p < SMALLEST else f"{p:.2g}" if p < 0.001 else f"{p:.3f}"
