"""What shows that a summariser is weak: the length of its summaries, what they keep of a history, what they repeat."""

from harness.llm.summary import Summaries
from harness.llm.words import content_words, vocabulary

SPAN = 3  # words of a repeat


def describe(summaries: Summaries) -> dict[str, float | int | str]:
    """Means over the summaries that are not empty.

    Returns:
        ``summaries_empty``; ``summary_words``; the share of the shown items' distinct words and category words that
        stand in the summary (``summary_share_of_item_words``, ``summary_share_of_category_words``); the share of its
        spans of three words that repeat an earlier one (``summary_repeats``).
    """
    rows = [
        (
            float(len(text.split())),
            _share(text, [summaries.items[item] for item in summaries.read[history]]),
            _share(text, [summaries.categories[item] for item in summaries.read[history]]),
            repeats(text),
        )
        for history, text in summaries.texts.items()
        if text
    ]
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)] if rows else [0.0] * 4
    names = ("summary_words", "summary_share_of_item_words", "summary_share_of_category_words", "summary_repeats")
    return {"summaries_empty": len(summaries.texts) - len(rows)} | dict(zip(names, means, strict=True))


def repeats(text: str) -> float:
    """The share of a text's spans of three words that stand in it before; 0 for a shorter text."""
    words = text.casefold().split()
    spans = list(zip(*(words[start:] for start in range(SPAN)), strict=False))
    return 1 - len(set(spans)) / len(spans) if spans else 0.0


def _share(text: str, sources: list[str]) -> float:
    """Which part of the sources' distinct content words stands in the text; 0 where they have none."""
    wanted = vocabulary(sources)
    return len(wanted.intersection(content_words(text))) / len(wanted) if wanted else 0.0
