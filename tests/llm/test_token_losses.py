import pytest
import torch
from torch import Tensor, nn

from harness.llm import lora, losses
from harness.llm.backbone import Backbone
from harness.llm.losses import Example, LossOn, token_losses
from harness.seeds import rng


def example(index: int) -> Example:
    generator = rng(1, "example", index)
    prompt = generator.integers(30, 60, size=int(generator.integers(5, 30))).tolist()
    return Example(prompt=prompt, answer=[prompt[-1], 1])


def by_full_logits(model: nn.Module, one: Example, loss_on: LossOn) -> Tensor:
    text = one.prompt + one.answer
    logits = model(input_ids=torch.tensor([text])).logits[0, :-1]
    per_token = nn.functional.cross_entropy(logits, torch.tensor(text[1:]), reduction="none")
    return per_token if loss_on == "prompt" else per_token[-len(one.answer) :]


@pytest.mark.parametrize("loss_on", ["answer", "prompt"])
@pytest.mark.parametrize("chunk", [1, 2000, losses.CHUNK])  # one token at a time, seven, all
def test_losses_and_gradients_are_those_of_the_full_logits(
    adapted: Backbone, loss_on: LossOn, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "CHUNK", chunk)
    examples = [example(index) for index in range(3)]
    weights = list(lora.adapter(adapted.model).values())
    found = token_losses(adapted.model, examples, loss_on)
    expected = torch.cat([by_full_logits(adapted.model, one, loss_on) for one in examples])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    gradients = torch.autograd.grad(found.sum(), weights)
    for gradient, wanted in zip(gradients, torch.autograd.grad(expected.sum(), weights), strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5)


def test_no_more_logits_than_a_chunk_are_held_at_once(adapted: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "CHUNK", 5 * adapted.model.config.vocab_size)
    head, sizes = adapted.model.get_output_embeddings(), []
    handle = head.register_forward_hook(lambda module, given, logits: sizes.append(len(logits)))
    one = Example(prompt=list(range(30, 52)), answer=[60, 1])
    token_losses(adapted.model, [one], "prompt").sum().backward()
    handle.remove()
    assert max(sizes) == 5
    assert sum(sizes) == 2 * (len(one.prompt) + 1)  # once forward, once again for the gradient


def test_what_is_learnt() -> None:
    one = Example(prompt=[5, 6, 7], answer=[8, 1])
    assert (one.learnt("answer"), one.learnt("prompt")) == (2, 4)


def test_losses_are_float32_whatever_the_model_computes_in(adapted: Backbone) -> None:
    exact = token_losses(adapted.model, [example(0)])
    rounded = token_losses(adapted.model.bfloat16(), [example(0)])
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0.05, atol=0.05)
    assert (rounded != rounded.bfloat16().float()).any()
