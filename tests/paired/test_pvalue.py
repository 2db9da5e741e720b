import pytest

from harness.paired.pvalue import as_text


@pytest.mark.parametrize(
    ("p", "printed"),
    [(None, "-"), (1.0, "1.000"), (0.0499, "0.050"), (0.00099, "0.00099"), (1e-250, "1e-250"), (0.0, "<1e-300")],
)
def test_no_p_is_printed_as_nought(p: float | None, printed: str) -> None:
    assert as_text(p) == printed
