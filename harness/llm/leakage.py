"""Whether summaries know what they must not: the target, or anything that came after the history.

The first half of the check is exact: a summarised history must be one that a case has, up to its target and no
further, and what the summariser was shown must be its end. The second looks at the words, and words coincide: so those
of another random item of the target's category (of any, where it is alone there) are counted beside the target's.
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from harness.llm.summary import History, Summaries
from harness.llm.words import vocabulary
from harness.seeds import rng

WORD = re.compile(r"\w+")


def check(
    summaries: Summaries, targets: Mapping[History, int], titles: tuple[str, ...], seed: int
) -> dict[str, float | int | str]:
    """Counts of what was found, over all summarised histories.

    Args:
        summaries: what a system used.
        targets: every history that the run's cases have, with the item that came next.
        titles: of all items, index = item id.
        seed: draws the random item.

    Returns:
        ``summaries``; those of what is no end of a case's history (``_of_unknown_histories``; anything but 0 is a
        leak); whose target already stands in the history (``_with_target_in_history``); that name the target's whole
        title (``_naming_target``), or one of its content words (``_with_word_of_target``), where the items that were
        shown do not; and the same for the random item (``_naming_random_item``, ``_with_word_of_random_item``).
    """
    found = dict.fromkeys(
        (
            "of_unknown_histories",
            "with_target_in_history",
            "naming_target",
            "with_word_of_target",
            "naming_random_item",
            "with_word_of_random_item",
        ),
        0,
    )
    alike = defaultdict(list)
    for item, category in enumerate(summaries.categories[1:], start=1):
        alike[category].append(item)
    for history, text in summaries.texts.items():
        target, read = targets.get(history), summaries.read[history]
        if target is None or read != history.items[len(history.items) - len(read) :]:
            found["of_unknown_histories"] += 1
            continue
        found["with_target_in_history"] += target in history.items
        known = " ".join(summaries.items[item] for item in read)
        others = [item for item in alike[summaries.categories[target]] if item != target]
        others = others or [item for item in range(1, len(titles)) if item != target]
        other = others[int(rng(seed, "leakage", history.user).integers(len(others)))]
        for item, what in ((target, "target"), (other, "random_item")):
            found[f"naming_{what}"] += names(text, titles[item]) and not names(known, titles[item])
            beyond = vocabulary([titles[item]]) - vocabulary([known])
            found[f"with_word_of_{what}"] += bool(beyond & vocabulary([text]))
    return {"summaries": len(summaries.texts), **{f"summaries_{name}": count for name, count in found.items()}}


def names(text: str, title: str) -> bool:
    """Whether all of a title's words stand in a text, one behind the other, whatever their case and punctuation."""
    words = re.findall(WORD, title.casefold())
    return bool(words) and f" {' '.join(words)} " in f" {' '.join(re.findall(WORD, text.casefold()))} "
