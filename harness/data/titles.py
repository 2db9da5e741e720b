"""Clean-up of MovieLens titles, for prompts; readers keep titles raw."""

import re

ARTICLES = ("The", "A", "An", "Le", "La", "Les", "L'", "Il", "Das", "Der", "Die", "El")

_YEAR = re.compile(r"\s*(\(\d{4}\))\s*$")
_PARENTHESES = re.compile(r"\s*\([^()]*\)")
_TRAILING_ARTICLE = re.compile(rf"^(.+), ({'|'.join(ARTICLES)})$")


def clean_title(raw: str) -> str:
    """``City of Lost Children, The (Cité des enfants perdus, La) (1995)`` to ``The City of Lost Children (1995)``.

    The year's parentheses stay at the end, other parentheses go, a trailing article moves to the front
    (LlamaRec's preprocessing). A title of nothing but parentheses keeps them.
    """
    year = _YEAR.search(raw)
    name = raw[: year.start()] if year else raw
    bare = " ".join(_PARENTHESES.sub("", name).split()) or name.strip()
    if trailing := _TRAILING_ARTICLE.match(bare):
        rest, article = trailing.groups()
        bare = f"{article}{rest}" if article.endswith("'") else f"{article} {rest}"
    return f"{bare} {year.group(1)}" if year else bare
