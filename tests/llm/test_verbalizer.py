import torch

from harness.llm import verbalizer
from harness.llm.backbone import Backbone
from harness.seeds import rng


def random_prompts(lengths: list[int]) -> list[list[int]]:
    generator = rng(1, "prompts")
    return [generator.integers(2, 258, size=length).tolist() for length in lengths]


def test_rows_of_the_head_equal_the_full_logits(tiny: Backbone) -> None:
    prompt, letters = random_prompts([37])[0], [40, 50, 3, 257]
    with torch.inference_mode():
        full = tiny.model(input_ids=torch.tensor([prompt])).logits[0, -1, letters]
    scores = verbalizer.score(tiny, [prompt], letters, batch_size=1)
    torch.testing.assert_close(scores[0], full, rtol=1e-5, atol=1e-6)


def test_scores_do_not_depend_on_batch_size_or_padding(tiny: Backbone) -> None:
    several, letters = random_prompts([30, 7, 61, 1, 30, 18]), [5, 80, 200]
    alone = torch.cat([verbalizer.score(tiny, [prompt], letters, 1) for prompt in several])
    for batch_size in (2, 4, 6, 100):
        torch.testing.assert_close(verbalizer.score(tiny, several, letters, batch_size), alone, rtol=1e-5, atol=1e-5)


def test_left_padding_with_a_mask_gives_the_same_scores(tiny: Backbone) -> None:
    short, long = random_prompts([9, 20])
    ids = torch.tensor([[0] * 11 + short, long])
    mask = torch.tensor([[0] * 11 + [1] * 9, [1] * 20])
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    with torch.inference_mode():
        padded = tiny.model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, -1, 60:80]
    torch.testing.assert_close(verbalizer.score(tiny, [short, long], range(60, 80), 2), padded, rtol=1e-5, atol=1e-5)


def test_scores_are_float32_and_seldom_tie_in_bfloat16(tiny: Backbone) -> None:
    tiny.model.to(torch.bfloat16)
    scores = verbalizer.score(tiny, random_prompts([50] * 20), range(30, 50), 4)
    assert scores.dtype == torch.float32
    assert all(len(row.unique()) == 20 for row in scores)
