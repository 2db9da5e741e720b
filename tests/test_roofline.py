"""FLOPs against torch's own counter and by hand, bytes by hand, and the floor that they give."""

from collections.abc import Callable

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM, LlamaConfig

from harness import latency
from harness.latency import Measured
from harness.roofline import Ceilings, Shape, Work, measure_ceilings

GROUPED = LlamaConfig(
    vocab_size=50,
    hidden_size=24,
    intermediate_size=40,
    num_hidden_layers=3,
    num_attention_heads=6,
    num_key_value_heads=2,
    attn_implementation="eager",
)
ONE_LAYER = Shape(
    width=4, inner=6, layers=1, heads=2, groups=1, head_width=2, vocabulary=10, weight_bytes=2, value_bytes=2
)


def counted_steps(tokens: int) -> list[int]:
    """What torch counts of reading tokens one by one into a cache: each sees just what is before it."""
    model = AutoModelForCausalLM.from_config(GROUPED).eval()
    cache, counts = None, []
    for _ in range(tokens):
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            cache = model(torch.tensor([[3]]), cache=cache, use_cache=True).cache
        counts.append(counter.get_total_flops())
    return counts


def test_decoding_is_what_torch_counts() -> None:
    steps = Shape.of(GROUPED, torch.float32).decode([3], [6])
    assert [step.flops for step in steps] == counted_steps(8)[3:]


def test_a_prefill_is_what_torch_counts_token_by_token_less_the_logits_nobody_asks_for() -> None:
    counted, head = sum(counted_steps(9)), 2 * 24 * 50
    assert Shape.of(GROUPED, torch.float32).prefill([9], 50).flops == counted - 8 * head
    assert Shape.of(GROUPED, torch.float32).prefill([9, 9], 5).flops == 2 * (counted - 9 * head + 2 * 24 * 5)


def test_one_layer_by_hand() -> None:
    # query and output 4 x 4, key and value 4 x 2, three maps of 4 x 6; prompts of 3 and 1 tokens, 2 rows of the head
    weights = 2 * 16 + 2 * 8 + 3 * 24
    assert ONE_LAYER.linear_weights == weights == 120
    work = ONE_LAYER.prefill([3, 1], 2)
    assert work.flops == 2 * 4 * 120 + 4 * (6 + 1) * 4 + 2 * 2 * 4 * 2
    # weights, 3 norms, 2 rows of the head, and for each of 4 tokens an embedding and the layer's input and output
    assert work.bytes == 2 * (120 + 3 * 4 + 2 * 4 + 4 * 3 * 4)
    assert ONE_LAYER.prefill([3, 1], 2, cached=True).bytes == work.bytes + 2 * 4 * (2 + 2)


def test_a_step_by_hand() -> None:
    # the first prompt writes 3 tokens, the second 2: two steps follow the prefill, the second for the first alone
    first, second = ONE_LAYER.decode([3, 1], [3, 2])
    assert first.flops == 2 * 2 * 120 + 4 * (4 + 2) * 4 + 2 * 2 * 4 * 10
    assert first.bytes == 2 * (120 + 3 * 4 + 10 * 4 + 2 * 3 * 4 + (3 + 1 + 2) * 4)
    assert second.flops == 2 * 120 + 4 * 5 * 4 + 2 * 4 * 10
    assert second.bytes == 2 * (120 + 3 * 4 + 10 * 4 + 3 * 4 + (4 + 1) * 4)
    assert ONE_LAYER.decode([3, 1], [1, 1]) == []


@pytest.mark.parametrize(("quantisation", "weight_bytes"), [("nf4", 0.5159), ("int8", 1)])
def test_quantised_weights_move_fewer_bytes_and_compute_as_much(quantisation: str, weight_bytes: float) -> None:
    full, packed = (Shape.of(GROUPED, torch.bfloat16, how).prefill([5], 5) for how in ("none", quantisation))
    assert full.flops == packed.flops
    linear = Shape.of(GROUPED, torch.bfloat16).linear_weights
    assert full.bytes - packed.bytes == pytest.approx(linear * (2 - weight_bytes), rel=1e-4)


def test_the_floor_is_the_slower_of_arithmetic_and_traffic() -> None:
    machine = Ceilings(flops_per_s=100, bytes_per_s=10)
    assert machine.floor_ms(Work(flops=50, bytes=1)) == 500
    assert machine.floor_ms(Work(flops=50, bytes=20)) == 2000


def test_ceilings_are_the_best_of_several_products_and_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(call: Callable[[], object], *_: object) -> Measured:
        call()
        return Measured(timings_ms=(7, 5, 9), peak_bytes=0)

    monkeypatch.setattr(latency, "measure", measured)
    found = measure_ceilings(torch.device("cpu"), torch.float32)
    assert found.flops_per_s == pytest.approx(2 * 2048**3 / 5e-3)
    assert found.bytes_per_s == pytest.approx(2 * 4 * 2**26 / 5e-3)  # read and written
