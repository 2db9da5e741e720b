"""A shared beginning changes the work, not the numbers: states, losses and gradients of separate forward passes."""

from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError
from harness.llm import lora, losses, prefix
from harness.llm.attention import BLOCK
from harness.llm.backbone import Backbone
from harness.llm.losses import Example, LossOn
from harness.llm.verbalizer import hidden_states
from harness.seeds import rng


def texts(shared: int, lengths: list[int], seed: int = 1) -> list[list[int]]:
    """Texts whose common beginning has ``shared`` tokens; what follows differs at once."""
    generator = rng(seed, "texts")
    beginning = generator.integers(10, 200, size=shared).tolist()
    return [[*beginning, 200 + i, *generator.integers(10, 200, size=n - 1).tolist()] for i, n in enumerate(lengths)]


@pytest.fixture
def llm(adapted: Backbone) -> Backbone:
    """Wider in its head groups than it comes, so that heads share keys."""
    prefix.use(adapted.model)
    return adapted


def test_a_layout_by_hand() -> None:
    form = prefix.layout([[7, 8, 1], [7, 8, 2, 3, 4], [7, 8, 5, 6]])
    assert (form.prefix, form.suffixes, form.tokens) == (2, (1, 3, 2), 8)
    assert [form.column(1, position) for position in range(5)] == [0, 1, 3, 4, 5]
    assert [form.column(2, position) for position in (2, 3)] == [6, 7]
    assert form.places == [0, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("equal", [[[7, 8], [7, 8]], [[7, 8], [7, 8, 9]]])
def test_every_text_keeps_a_token(equal: list[list[int]]) -> None:
    assert prefix.layout(equal).prefix == 1


@given(rows=st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=5), min_size=1, max_size=4))
def test_the_row_holds_every_text(rows: list[list[int]]) -> None:
    form = prefix.layout(rows)
    row = rows[0][: form.prefix] + [token for text in rows for token in text[form.prefix :]]
    assert len(row) == form.tokens
    assert [[row[form.column(i, j)] for j in range(len(text))] for i, text in enumerate(rows)] == rows


@pytest.mark.parametrize("implementation", ["harness_blocks", "sdpa"])
@pytest.mark.parametrize("shared", [0, 1, BLOCK, 300])
def test_states_are_those_of_separate_passes(tiny: Backbone, implementation: str, shared: int) -> None:
    tiny.model.set_attn_implementation(implementation)
    prefix.use(tiny.model)
    prompts = texts(shared, [5, 1, 40, 17])
    form = prefix.layout(prompts)
    assert form.tokens == shared + 63
    with torch.inference_mode():
        row = prefix.states(tiny.model, prompts, form)
        for index, prompt in enumerate(prompts):
            found = row[[form.column(index, position) for position in range(len(prompt))]]
            torch.testing.assert_close(found, hidden_states(tiny.model, [prompt])[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_attention_by_an_explicit_mask(groups: int) -> None:
    form = prefix.Layout(9, (3, 1, 5))
    draw = torch.Generator().manual_seed(groups)
    query = torch.randn(1, 6, form.tokens, 8, generator=draw, dtype=torch.float64).requires_grad_()
    key, value = (
        torch.randn(1, groups, form.tokens, 8, generator=draw, dtype=torch.float64).requires_grad_() for _ in "kv"
    )
    owner = torch.tensor([0] * 9 + [1] * 3 + [2] + [3] * 5)
    seen = ((owner[None] == 0) | (owner[None] == owner[:, None])).tril()
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=seen, scale=0.3, enable_gqa=True
    )
    found = prefix.attend(query, key, value, form, 0.3)
    torch.testing.assert_close(found, expected)
    gradient = torch.randn(found.shape, generator=draw, dtype=torch.float64)
    wanted = torch.autograd.grad(expected, (query, key, value), gradient)
    for one, other in zip(torch.autograd.grad(found, (query, key, value), gradient), wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("loss_on", ["answer", "prompt"])
def test_losses_and_gradients_are_those_of_separate_passes(llm: Backbone, loss_on: LossOn) -> None:
    good, bad = texts(150, [20, 33])
    pair = [Example(good, [60, 61, 1]), Example(bad, [70, 1])]
    weights = list(lora.adapter(llm.model).values())
    found = losses.shared_token_losses(llm.model, pair, loss_on)
    expected = torch.cat([losses.token_losses(llm.model, [one], loss_on) for one in pair])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    wanted = torch.autograd.grad(expected.sum(), weights)
    for gradient, other in zip(torch.autograd.grad(found.sum(), weights), wanted, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-4, atol=1e-5)


def test_a_model_attends_as_before_where_no_layout_is_given(tiny: Backbone) -> None:
    ids = torch.randint(2, 200, (2, 300), generator=torch.Generator().manual_seed(1))
    padded = torch.ones_like(ids)
    padded[0, :40] = 0
    with torch.inference_mode():
        whole, left = tiny.model(input_ids=ids).logits, tiny.model(input_ids=ids, attention_mask=padded).logits
        prefix.use(tiny.model)
        prefix.use(tiny.model)
        assert torch.equal(whole, tiny.model(input_ids=ids).logits)
        assert torch.equal(left, tiny.model(input_ids=ids, attention_mask=padded).logits)


def small(family: str, **settings: Any) -> Any:
    """An untrained model of an architecture."""
    shape = {"vocab_size": 300, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    config = getattr(transformers, f"{family}Config")(**shape, **heads, **settings, pad_token_id=0)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return transformers.AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize(
    ("family", "settings", "option"),
    [
        ("Mistral", {"sliding_window": 24}, "sliding_window=24"),
        ("Gemma2", {"attn_logit_softcapping": 50.0}, r"softcap=50\.0"),
        ("GptOss", {"num_local_experts": 2, "num_experts_per_tok": 1}, "s_aux,"),
    ],
)
def test_an_attention_that_is_more_than_plain_is_refused(family: str, settings: dict[str, Any], option: str) -> None:
    model = small(family, **settings)
    prefix.use(model)
    prompts = texts(20, [5, 1])
    with torch.inference_mode(), pytest.raises(InputError, match=f"^backbone .*: its attention has {option}"):
        prefix.states(model, prompts, prefix.layout(prompts))


def test_dropout_of_the_attention_is_refused_where_it_would_be_drawn() -> None:
    model = small("Llama", attention_dropout=0.1)
    prefix.use(model)
    prompts = texts(20, [5, 1])
    prefix.states(model, prompts, prefix.layout(prompts))
    with pytest.raises(InputError, match=r"its attention has dropout=0\.1"):
        prefix.states(model.train(), prompts, prefix.layout(prompts))


def test_a_window_that_holds_every_text_is_none() -> None:
    model = small("Mistral", sliding_window=25)
    prefix.use(model)
    prompts = texts(20, [5, 1])
    form = prefix.layout(prompts)
    with torch.inference_mode():
        row = prefix.states(model, prompts, form)
        found = row[[form.column(0, position) for position in range(25)]]
        torch.testing.assert_close(found, hidden_states(model, [prompts[0]])[0], rtol=1e-4, atol=1e-5)


def test_a_model_whose_attention_cannot_be_exchanged() -> None:
    config = transformers.BloomConfig(vocab_size=300, hidden_size=32, n_layer=1, n_head=4)
    with pytest.raises(InputError, match="backbone bloom: its attention cannot be exchanged"):
        prefix.use(transformers.AutoModelForCausalLM.from_config(config))
