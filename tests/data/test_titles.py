import pytest

from harness.data.titles import clean_title


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Toy Story (1995)", "Toy Story (1995)"),
        ("City of Lost Children, The (Cité des enfants perdus, La) (1995)", "The City of Lost Children (1995)"),
        ("Bug's Life, A (1998)", "A Bug's Life (1998)"),
        ("Unforgettable Summer, An (Un été inoubliable) (1994)", "An Unforgettable Summer (1994)"),
        ("Boot, Das (Boat, The) (1981)", "Das Boot (1981)"),
        ("Atalante, L' (1934)", "L'Atalante (1934)"),
        ("Good, the Bad and the Ugly, The (Buono, il brutto, il cattivo, Il) (1966)",
         "The Good, the Bad and the Ugly (1966)"),
        ("Corrina, Corrina (1994)", "Corrina, Corrina (1994)"),
        ("Usual Suspects, The", "The Usual Suspects"),
        ("Runaway Brain (1995) ", "Runaway Brain (1995)"),
        ("(500) Days of Summer (2009)", "Days of Summer (2009)"),
        ("(Untitled) (2009)", "(Untitled) (2009)"),
        ("Babylon 5", "Babylon 5"),
        ("2012 (2009)", "2012 (2009)"),
        ("", ""),
    ],
)  # fmt: skip
def test_clean_title(raw: str, clean: str) -> None:
    assert clean_title(raw) == clean
    assert clean_title(clean) == clean
