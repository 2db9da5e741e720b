import pytest
import torch
from torch.nn import functional

from harness.llm import attention
from harness.llm.backbone import Backbone


@pytest.mark.parametrize("time", [1, 127, 128, 129, 300])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_it_is_causal_attention(time: int, groups: int) -> None:
    draw = torch.Generator().manual_seed(time)
    query = torch.randn(2, time, 6, 8, generator=draw, dtype=torch.float64).transpose(1, 2).requires_grad_()
    key, value = (torch.randn(2, groups, time, 8, generator=draw, dtype=torch.float64).requires_grad_() for _ in "kv")
    gradient = torch.randn(2, 6, time, 8, generator=draw, dtype=torch.float64)
    found = attention.causal(query, key, value, 0.3)
    expected = functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.3, enable_gqa=True)
    torch.testing.assert_close(found, expected)
    inputs = (query, key, value)
    wanted = torch.autograd.grad(expected, inputs, gradient)
    for one, other in zip(torch.autograd.grad(found, inputs, gradient), wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_a_model_gives_the_same_logits_with_either(tiny: Backbone) -> None:
    ids = torch.randint(2, 200, (2, 300), generator=torch.Generator().manual_seed(1))
    padded = torch.ones_like(ids)
    padded[0, :40] = 0
    assert tiny.model.config._attn_implementation == attention.NAME
    with torch.inference_mode():
        whole, left = tiny.model(input_ids=ids).logits, tiny.model(input_ids=ids, attention_mask=padded).logits
        written = tiny.model.generate(ids, max_new_tokens=5, do_sample=False)
        tiny.model.set_attn_implementation("sdpa")
        torch.testing.assert_close(whole, tiny.model(input_ids=ids).logits, rtol=1e-4, atol=1e-4)
        expected = tiny.model(input_ids=ids, attention_mask=padded).logits
        torch.testing.assert_close(left[padded == 1], expected[padded == 1], rtol=1e-4, atol=1e-4)
        assert torch.equal(written, tiny.model.generate(ids, max_new_tokens=5, do_sample=False))
    assert not torch.allclose(whole[0, 40:], left[0, 40:], rtol=1e-2, atol=1e-2)
