from collections.abc import Sequence

import numpy as np
import pytest
import torch

from harness.errors import InputError
from harness.llm.backbone import Backbone
from harness.llm.generation import generate
from harness.seeds import rng

END = 1
RAGGED = [[40, 50, 60], [30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40], [200], [7, 8, 9, 10, 11]]


def argmax_loop(llm: Backbone, prompt: list[int], steps: int, allowed: Sequence[int] | None = None) -> list[int]:
    """Greedy by hand: the whole text goes through the model again for every token."""
    written: list[int] = []
    with torch.inference_mode():
        while len(written) < steps and END not in written:
            logits = llm.model(input_ids=torch.tensor([prompt + written]), use_cache=False).logits[0, -1]
            kept = list(range(len(logits))) if allowed is None else list(allowed)
            written.append(kept[int(logits[kept].argmax())])
    return written


def sources(names: Sequence[int]) -> list[np.random.Generator]:
    return [rng(5, "noise", name) for name in names]


def test_greedy_is_the_argmax_of_every_step(tiny: Backbone) -> None:
    for prompt in RAGGED:
        assert generate(tiny, [prompt], max_new_tokens=12) == [argmax_loop(tiny, prompt, 12)]


@pytest.mark.parametrize("batch_size", [None, 1, 3])
def test_a_batch_of_ragged_prompts_is_written_as_one_by_one(tiny: Backbone, batch_size: int | None) -> None:
    together = generate(tiny, RAGGED, max_new_tokens=12, batch_size=batch_size)
    assert together == [argmax_loop(tiny, prompt, 12) for prompt in RAGGED]


def test_the_model_s_own_generation_settings_do_not_count(tiny: Backbone) -> None:
    wanted = generate(tiny, RAGGED, max_new_tokens=8)
    tiny.model.generation_config.update(do_sample=True, temperature=5.0, repetition_penalty=3.0, min_new_tokens=3)
    assert generate(tiny, RAGGED, max_new_tokens=8) == wanted


def test_each_prompt_has_its_own_limit(tiny: Backbone) -> None:
    limits = [3, 9, 1, 5]
    written = generate(tiny, RAGGED, max_new_tokens=limits)
    assert written == [argmax_loop(tiny, prompt, limit) for prompt, limit in zip(RAGGED, limits, strict=True)]
    assert [len(text) for text in written] == limits


def test_a_static_cache_writes_what_a_growing_one_does(tiny: Backbone) -> None:
    assert generate(tiny, RAGGED, max_new_tokens=12, cache="static") == generate(tiny, RAGGED, max_new_tokens=12)


def test_a_static_cache_has_room_for_its_own_texts_only(tiny: Backbone) -> None:
    room: list[int] = []
    tiny.model.base_model.register_forward_pre_hook(
        lambda module, args, options: room.append(options["cache"].layers[0].max_cache_len), with_kwargs=True
    )
    for steps in (30, 3):
        room.clear()
        (written,) = generate(tiny, RAGGED[:1], max_new_tokens=steps, cache="static")
        assert room == [len(RAGGED[0]) + steps - 1] * len(written)


def test_a_compiled_step_on_a_cpu_is_refused(tiny: Backbone) -> None:
    with pytest.raises(InputError, match="cache=compiled: needs a GPU"):
        generate(tiny, RAGGED, max_new_tokens=2, cache="compiled")


def test_writing_stops_behind_the_end_token(tiny: Backbone) -> None:
    def allowed(row: int, written: list[int]) -> list[int]:
        assert END not in written
        return [END] if len(written) == row else [50 + row]

    assert generate(tiny, RAGGED, max_new_tokens=9, allowed=allowed) == [
        [END],
        [51, END],
        [52, 52, END],
        [53, 53, 53, END],
    ]


@pytest.mark.parametrize("batch_size", [None, 2])
def test_only_allowed_tokens_are_written_the_best_of_them_first(tiny: Backbone, batch_size: int | None) -> None:
    choices = [[100 + row, 110 + row, 120 + row] for row in range(len(RAGGED))]
    written = generate(tiny, RAGGED, max_new_tokens=6, allowed=lambda row, text: choices[row], batch_size=batch_size)
    assert written == [argmax_loop(tiny, prompt, 6, kept) for prompt, kept in zip(RAGGED, choices, strict=True)]


def test_a_sample_depends_on_its_own_prompt_and_generator_only(tiny: Backbone) -> None:
    rows = [0, 1, 2, 3, 0, 1]
    prompts = [RAGGED[row] for row in rows]
    texts = generate(tiny, prompts, max_new_tokens=10, noise=sources(range(6)))
    assert texts[0] != texts[4]
    assert texts[1] != texts[5]
    order = [3, 5, 0, 4, 2, 1]
    for batch_size in (1, 4):
        again = generate(
            tiny, [prompts[i] for i in order], max_new_tokens=10, noise=sources(order), batch_size=batch_size
        )
        assert again == [texts[i] for i in order]


def test_samples_follow_the_softmax(tiny: Backbone) -> None:
    few, n, temperature = [60, 61, 62], 3000, 2.0
    written = generate(
        tiny,
        [RAGGED[0]] * n,
        max_new_tokens=1,
        noise=sources(range(n)),
        temperature=temperature,
        allowed=lambda row, text: few,
    )
    with torch.inference_mode():
        logits = tiny.model(input_ids=torch.tensor([RAGGED[0]])).logits[0, -1, few]
    expected = (logits / temperature).softmax(0).numpy()
    share = np.array([sum(text == [token] for text in written) for token in few]) / n
    assert np.abs(share - expected).max() < 4 * np.sqrt(0.25 / n)


def test_without_temperature_or_probability_to_draw_from_sampling_is_greedy(tiny: Backbone) -> None:
    greedy = generate(tiny, RAGGED, max_new_tokens=10)
    assert generate(tiny, RAGGED, max_new_tokens=10, noise=sources(range(4)), temperature=1e-5) == greedy
    assert generate(tiny, RAGGED, max_new_tokens=10, noise=sources(range(4)), temperature=3.0, top_p=1e-6) == greedy
    assert generate(tiny, RAGGED, max_new_tokens=10, noise=sources(range(4)), temperature=3.0) != greedy


def test_top_p_keeps_the_likeliest_tokens(tiny: Backbone) -> None:
    with torch.inference_mode():
        shares = tiny.model(input_ids=torch.tensor([RAGGED[1]])).logits[0, -1].softmax(0)
    ranked = shares.argsort(descending=True)
    top_p = float(shares[ranked[:3]].sum()) - 1e-4  # the third token completes it
    written = generate(tiny, [RAGGED[1]] * 300, max_new_tokens=1, noise=sources(range(300)), top_p=top_p)
    assert {token for (token,) in written} == set(ranked[:3].tolist())
