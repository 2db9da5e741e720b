"""Rankings that a backbone writes: the candidates' titles or labels one after another, the best first.

LlamaRec, section 4.0.7, times such a list, written greedily and stopped when it exceeds the titles' joint length,
against the verbalizer, which is given the same prompt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.llm.backbone import Backbone
from harness.llm.generation import Cache, generate
from harness.llm.tokens import Tokens, behind

Output = Literal["titles", "letters"]
SEPARATORS: dict[Output, str] = {"titles": "\n", "letters": " > "}


def one_line(text: str) -> str:
    """A title as it stands in a list: without line breaks or needless spaces."""
    return " ".join(text.split())


@dataclass(frozen=True)
class Entries:
    """The tokens of what may stand in a prompt's list, in the candidates' order.

    Attributes:
        first: each entry where it begins the list.
        later: each entry behind another one, the separator included.
    """

    first: list[list[int]]
    later: list[list[int]]

    def joint_length(self) -> int:
        """Tokens of the list of all entries, end token included."""
        return len(self.first[0]) + sum(map(len, self.later[1:])) + 1


def entries(tokenizer: Any, prompt_end: str, texts: Sequence[str], output: Output) -> Entries:
    """Tokenise a prompt's candidates as entries of its list; a text that stands twice is one entry.

    Args:
        tokenizer: the backbone's.
        prompt_end: the text that the prompt ends in, behind which the list begins.
        texts: the candidates' titles or labels.
        output: which of the two.
    """
    separator, different = SEPARATORS[output], list(dict.fromkeys(one_line(text) for text in texts))
    return Entries(
        [behind(tokenizer, prompt_end, text) for text in different],
        [behind(tokenizer, prompt_end + "A", separator + text) for text in different],
    )


def write(
    backbone: Backbone,
    prompts: Sequence[Tokens],
    offered: Sequence[Entries],
    *,
    constrained: bool = False,
    cache: Cache = "dynamic",
    batch_size: int | None = None,
) -> list[list[int]]:
    """Write each prompt's list greedily, until the end token or its entries' joint length.

    Args:
        backbone: writes.
        prompts: token ids of each prompt.
        offered: the entries of each prompt's list.
        constrained: nothing but the entries is written, each once.
        cache: of keys and values; see :func:`harness.llm.generation.generate`.
        batch_size: lists written at once; None: all.

    Returns:
        The tokens written behind each prompt, the end token included where there is one.
    """
    end = backbone.tokenizer.eos_token_id
    walks = [following(each, end) for each in offered]
    return generate(
        backbone,
        prompts,
        max_new_tokens=[each.joint_length() for each in offered],
        allowed=(lambda row, written: walks[row](written)) if constrained else None,
        cache=cache,
        batch_size=batch_size,
    )


def following(offered: Entries, end: int) -> Callable[[list[int]], list[int]]:
    """Tokens that may follow in a list of entries, each once, and the end token behind the last of them.

    The function returned is told all that is written so far; it goes on from what it was told before.
    """
    left = set(range(len(offered.first)))  # entries that are not written in full
    tokens, open_, depth, read = offered.first, set(left), 0, 0  # those that agree with the last ``depth`` tokens

    def next_tokens(written: list[int]) -> list[int]:
        nonlocal tokens, open_, depth, read
        for token in written[read:]:
            further = {one for one in open_ if depth < len(tokens[one]) and tokens[one][depth] == token}
            if not further:  # an entry is complete, and the next one begins
                left.difference_update(one for one in open_ if len(tokens[one]) == depth)
                tokens, depth = offered.later, 0
                further = {one for one in left if tokens[one][0] == token}
            open_, depth = further, depth + 1
        read = len(written)
        complete = [one for one in open_ if len(tokens[one]) == depth]
        choices = {tokens[one][depth] for one in open_ if depth < len(tokens[one])}
        if complete:
            choices |= {offered.later[one][0] for one in left.difference(complete)} or {end}
        return sorted(choices)

    return next_tokens
