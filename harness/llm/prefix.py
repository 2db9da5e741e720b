"""Many texts with one beginning, in one forward pass: the beginning is computed once, and no token is padding.

The tokens of a pass stand in one row: the shared prefix, then the texts' suffixes one behind the other. A suffix's
token has the position that it has in its own text, and attends to the prefix and to its own suffix.

Notation: H heads, G key and value heads that H / G heads share, T tokens of the row, P of the prefix, N of all
suffixes together, C suffixes, S tokens of the longest one, D width of a head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from harness.errors import InputError
from harness.llm.attention import causal
from harness.llm.tokens import Tokens

NAME = "harness_prefix"
DONE = ("scaling", "position_ids", "use_cache")  # options of an attention that :func:`attend` heeds, or need not


@dataclass(frozen=True)
class Layout:
    """Where the texts' tokens stand in the row.

    Attributes:
        prefix: P.
        suffixes: the length of each suffix, from 1.
    """

    prefix: int
    suffixes: tuple[int, ...]

    def column(self, text: int, position: int) -> int:
        """Where a text's token stands in the row."""
        return position if position < self.prefix else self._starts[text] + position

    @property
    def tokens(self) -> int:
        """T."""
        return self.prefix + sum(self.suffixes)

    @property
    def places(self) -> list[int]:
        """Where each of the N tokens stands if the suffixes are padded to S: shape [N], of C S places."""
        longest = max(self.suffixes)
        return [index * longest + place for index, length in enumerate(self.suffixes) for place in range(length)]

    @cached_property
    def _starts(self) -> list[int]:
        """What is added to a position behind the prefix, for each text."""
        return list(accumulate(self.suffixes[:-1], initial=0))


def layout(texts: Sequence[Tokens]) -> Layout:
    """The layout of texts of which each keeps at least one token to itself."""
    shortest = min(map(len, texts)) - 1
    columns = zip(*(text[:shortest] for text in texts), strict=True)
    shared = next((place for place, tokens in enumerate(columns) if len(set(tokens)) > 1), shortest)
    return Layout(shared, tuple(len(text) - shared for text in texts))


def states(model: Any, texts: Sequence[Tokens], form: Layout) -> Tensor:
    """Last hidden states of the texts' tokens, one row of them: shape [T, width].

    Args:
        model: has been given :func:`use`.
        texts: token ids of each text.
        form: their :func:`layout`.
    """
    row = [*texts[0][: form.prefix], *(token for text in texts for token in text[form.prefix :])]
    places = [*range(form.prefix), *(place for text in texts for place in range(form.prefix, len(text)))]
    found: Tensor = model.base_model(
        input_ids=torch.tensor([row], device=model.device),
        position_ids=torch.tensor([places], device=model.device),
        attention_mask=torch.ones((1, 1, 1, 1), device=model.device),  # of four axes, so that none is worked out
        use_cache=False,
        layout=form,
    ).last_hidden_state
    return found[0]


def attend(query: Tensor, key: Tensor, value: Tensor, form: Layout, scaling: float) -> Tensor:
    """Attention in a row of that layout.

    Args:
        query: shape [1, H, T, D].
        key: shape [1, G, T, D].
        value: shape [1, G, T, D].
        form: the layout.
        scaling: factor of the dot products.

    Returns:
        Shape [1, H, T, D].
    """
    heads, groups, prefix, longest = query.shape[1], key.shape[1], form.prefix, max(form.suffixes)
    places = torch.tensor(form.places, device=query.device)

    def padded(rows: Tensor) -> Tensor:  # [..., N, X] -> [..., C, S, X]
        whole = rows.new_zeros((*rows.shape[:-2], len(form.suffixes) * longest, rows.shape[-1]))
        return whole.index_copy(-2, places, rows).view(*rows.shape[:-2], -1, longest, rows.shape[-1])

    def packed(rows: Tensor) -> Tensor:  # [..., C, S, X] -> [..., N, X]
        return rows.flatten(-3, -2).index_select(-2, places)

    behind = scaling * query[0, :, prefix:].view(groups, heads // groups, -1, query.shape[-1])  # [G, H / G, N, D]
    own_key, own_value = (padded(rows[0, :, prefix:]).unsqueeze(1) for rows in (key, value))  # [G, 1, C, S, D]
    future = query.new_full((longest, longest), -torch.inf).triu(1)
    own = packed(padded(behind) @ own_key.transpose(-1, -2) + future)  # [G, H / G, N, S]
    before = behind.flatten(1, 2) @ key[0, :, :prefix].transpose(1, 2)  # [G, N H / G, P]
    weights = torch.cat([before.view(*own.shape[:-1], prefix), own], dim=-1).softmax(-1)
    attended = weights[..., :prefix].flatten(1, 2) @ value[0, :, :prefix]  # [G, N H / G, D]
    attended = attended.view_as(behind) + packed(padded(weights[..., prefix:]) @ own_value)
    attended = attended.view(1, heads, -1, query.shape[-1])
    if not prefix:
        return attended
    return torch.cat([causal(query[:, :, :prefix], key[:, :, :prefix], value[:, :, :prefix], scaling), attended], dim=2)


def use(model: Any) -> None:
    """Let a ``transformers`` model attend by :func:`attend` where a layout is given, and as before where none is.

    Raises:
        InputError: the model's attention cannot be exchanged; or, once a layout is given, it needs an option that
            :func:`attend` does not have.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import sdpa_mask
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    before = model.config._attn_implementation
    if before.startswith(NAME):
        return
    otherwise = ALL_ATTENTION_FUNCTIONS.get_interface(before, sdpa_attention_forward)

    def either(
        module: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        layout: Layout | None = None,
        **options: Any,
    ) -> tuple[Tensor, None]:
        if layout is None:
            attended: tuple[Tensor, None] = otherwise(module, query, key, value, attention_mask, **options)
            return attended
        _expect_plain(model, options, layout)
        return attend(query, key, value, layout, options["scaling"]).transpose(1, 2).contiguous(), None

    AttentionInterface.register(f"{NAME}_{before}", either)
    AttentionMaskInterface.register(f"{NAME}_{before}", sdpa_mask)
    model.set_attn_implementation(f"{NAME}_{before}")
    if not model.config._attn_implementation.startswith(NAME):
        raise InputError(f"backbone {_name(model)}: its attention cannot be exchanged; choose another backbone")


def _expect_plain(model: Any, options: dict[str, Any], form: Layout) -> None:
    """Hold the options of an attention against those that :func:`attend` has; a window that holds every text is none.

    Raises:
        InputError: there is one more.
    """
    longest = form.prefix + max(form.suffixes)
    for name, value in options.items():
        absent = value is None or (isinstance(value, int | float) and not value)
        if name in DONE or absent or (name == "sliding_window" and value >= longest):
            continue
        shown = "" if isinstance(value, Tensor) else f"={value}"
        raise InputError(
            f"backbone {_name(model)}: its attention has {name}{shown}, which texts with a shared beginning ({longest} "
            "tokens) are not read with; choose a backbone with plain attention"
        )


def _name(model: Any) -> str:
    return str(model.config._name_or_path or model.config.model_type)
