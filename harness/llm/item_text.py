"""An item as the text of a prompt, ``field: value`` joined by ``; `` (LLM-TRSR, section 4.1), and what is cut first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.data.dataset import Dataset
from harness.errors import InputError
from harness.llm import prompts
from harness.llm.tokens import Tokens

ID, TITLE = "id", "title"  # fields that every data set has; an id alone says nothing of an item


@dataclass(frozen=True)
class ItemTexts:
    """Texts of all items, index = item id.

    Attributes:
        full: all the fields; empty for an item that has no text but its id.
        short: the fields that stay longest where a prompt is too long.
        cut: how many full texts were too long by themselves and lost their end.
    """

    full: tuple[str, ...]
    short: tuple[str, ...]
    cut: int


def join(fields: Sequence[tuple[str, str]]) -> str:
    """``field: value`` of the fields that are not empty, joined by ``; ``; empty if none but the id is there."""
    given = [(name, " ".join(value.split())) for name, value in fields if value.strip()]
    if all(name == ID for name, _ in given):
        return ""
    return "; ".join(f"{name}: {value}" for name, value in given)


def field_names(dataset: Dataset) -> tuple[str, ...]:
    """The fields that its items have, of whatever text."""
    return (ID, TITLE, *dataset.fields)


def field_values(dataset: Dataset, name: str) -> Sequence[str]:
    """A field of all items, index = item id; empty strings where the data set has no field of that name."""
    own = {ID: dataset.raw_items, TITLE: dataset.titles}
    return own.get(name) or dataset.fields.get(name) or ("",) * len(dataset.titles)


def item_texts(
    dataset: Dataset, fields: Sequence[str], shed: Sequence[str], tokenizer: Any, max_tokens: int
) -> ItemTexts:
    """Texts of the items of a data set.

    Args:
        dataset: ids, titles and further fields.
        fields: names in the order of the text.
        shed: names of the fields that a prompt that is too long does without.
        tokenizer: counts tokens.
        max_tokens: where a text is cut, so that no single item fills a prompt.
    """
    columns = [field_values(dataset, name) for name in fields]
    rows = [list(zip(fields, values, strict=True)) for values in zip(*columns, strict=True)]
    full = [join(row) for row in rows]
    short = [join([(name, value) for name, value in row if name not in shed]) for row in rows]
    cut = 0
    for texts in (short, full):  # the count of the second stays
        long = [index for index, text in enumerate(texts) if len(text.encode()) > max_tokens]
        shortened = prompts.shorten([texts[index] for index in long], tokenizer, max_tokens) if long else []
        cut = sum(texts[index] != text for index, text in zip(long, shortened, strict=True))
        for index, text in zip(long, shortened, strict=True):
            texts[index] = text
    return ItemTexts(tuple(full), tuple(short), cut)


def cuts(items: Sequence[int], texts: ItemTexts) -> Iterator[list[str]]:
    """The items' texts, whole at first, then ever less of them.

    One after the other, the oldest first, they lose the fields that are shed; then they go, the oldest first.
    """
    for count in range(len(items) + 1):
        yield [(texts.short if place < count else texts.full)[item] for place, item in enumerate(items)]
    for count in range(1, len(items) + 1):
        yield [texts.short[item] for item in items[count:]]


def fit(
    items: Sequence[int], texts: ItemTexts, render: Callable[[list[str]], list[Tokens]], max_tokens: int, remedy: str
) -> tuple[list[Tokens], bool]:
    """Prompts about one history, cut alike until the longest of them fits.

    Args:
        items: the history's item ids, oldest first; those without text are left out.
        texts: of all items.
        render: from the history's texts to the tokens of one prompt or more (one a candidate).
        max_tokens: what the longest prompt may have.
        remedy: which settings to change where they do not fit.

    Returns:
        The prompts, and whether anything was cut.

    Raises:
        InputError: they do not fit even without a history.
    """
    told = [item for item in items if texts.full[item]]
    longest = 0
    for count, shown in enumerate(cuts(told, texts)):
        rendered = render(shown)
        longest = max(map(len, rendered))
        if longest <= max_tokens:
            return rendered, count > 0
    raise InputError(f"a prompt has {longest} tokens without any history, and {max(0, max_tokens)} fit; {remedy}")
