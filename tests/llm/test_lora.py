import pytest
import torch
from transformers import AutoModelForCausalLM, GPTNeoXConfig

from harness.dropout import Dropout
from harness.errors import InputError
from harness.home import Home
from harness.llm import backbone, lora, prefix, verbalizer, yes_no
from harness.llm.backbone import Backbone
from harness.llm.lora import LoraConfig
from harness.llm.losses import Example, token_losses
from harness.record import ModelRecord

CPU = torch.device("cpu")


def test_a_new_adapter_changes_nothing_and_is_all_that_is_trained(tiny: Backbone) -> None:
    prompt, letters = [list(range(2, 40))], range(30, 50)
    before = verbalizer.score(tiny, prompt, letters, 1)
    lora.add(tiny, LoraConfig(), seed=1)
    assert torch.equal(verbalizer.score(tiny, prompt, letters, 1), before)
    # 2 layers; r 8 on q (64 -> 64) and v (64 -> 32)
    assert sum(tensor.numel() for tensor in lora.adapter(tiny.model).values()) == 2 * 8 * (64 + 64 + 64 + 32)
    assert all(".q_proj.lora_" in name or ".v_proj.lora_" in name for name in lora.adapter(tiny.model))


def test_a_merged_adapter_answers_alike_and_leaves_the_model_as_it_was_built(tiny: Backbone) -> None:
    prompt, letters = [list(range(2, 40))], range(30, 50)
    bare, modules = verbalizer.score(tiny, prompt, letters, 1), [name for name, _ in tiny.model.named_modules()]
    lora.add(tiny, LoraConfig(), seed=1)
    with torch.no_grad():
        for value in lora.adapter(tiny.model).values():
            value += 0.05
    beside = verbalizer.score(tiny, prompt, letters, 1)
    lora.merge(tiny.model)
    torch.testing.assert_close(verbalizer.score(tiny, prompt, letters, 1), beside, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(beside, bare, atol=1e-2)
    assert [name for name, _ in tiny.model.named_modules()] == modules


def test_the_seed_decides_the_initial_adapter(home: Home) -> None:
    def initial(seed: int) -> torch.Tensor:
        llm = backbone.load("tiny", home, CPU)
        lora.add(llm, LoraConfig(), seed)
        return torch.cat([tensor.flatten() for tensor in lora.adapter(llm.model).values()])

    first = initial(1)
    assert first.dtype == torch.float32
    assert torch.equal(first, initial(1))
    assert not torch.equal(first, initial(2))


def test_on_a_cpu_the_adapters_input_is_dropped_by_the_harness_own_dropout(tiny: Backbone) -> None:
    lora.add(tiny, LoraConfig(lora_dropout=0.3), seed=1)
    drops = {name: layer.p for name, layer in tiny.model.named_modules() if isinstance(layer, Dropout)}
    assert sorted(drops) == [
        f"model.layers.{layer}.self_attn.{name}.lora_dropout.default"
        for layer in range(2)
        for name in ("q_proj", "v_proj")
    ]
    assert set(drops.values()) == {0.3}


@pytest.mark.filterwarnings("error:.*an autograd kernel was not registered")
def test_scoring_with_nf4_does_not_cut_the_gradient(home: Home) -> None:
    llm = backbone.load("tiny", home, CPU, dtype="float32", quantisation="nf4")
    lora.add(llm, LoraConfig(lora_dropout=0.0), seed=1)
    llm.model.train()

    def gradients() -> list[torch.Tensor]:
        llm.model.zero_grad()
        token_losses(llm.model, [Example(list(range(2, 40)), [40, 1])]).sum().backward()
        return [tensor.grad.clone() for name, tensor in lora.adapter(llm.model).items() if "lora_B" in name]

    before = gradients()
    verbalizer.score(llm, [list(range(2, 40))], range(30, 50), 1)
    llm.model.train()
    for now, then in zip(gradients(), before, strict=True):
        assert then.abs().max() > 1e-4
        torch.testing.assert_close(now, then)


def test_a_gpt_neox_is_tuned_where_a_llama_is_and_shares_a_beginning() -> None:
    shape = {"vocab_size": 300, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2}
    model = AutoModelForCausalLM.from_config(GPTNeoXConfig(**shape, num_attention_heads=4))
    pythia = Backbone(model, None, ModelRecord(name="pythia", sha256="", dtype="float32", quantisation="none"))
    lora.add(pythia, LoraConfig(lora_targets=("q_proj", "k_proj", "v_proj", "o_proj")), seed=1)
    tuned = {name.partition(".lora_")[0] for name in lora.adapter(model)}
    layers = [f"gpt_neox.layers.{layer}.attention.{own}" for layer in (0, 1) for own in ("query_key_value", "dense")]
    assert tuned == set(layers)
    prefix.use(model)
    prompts = [[*range(10, 40), 50, 51], [*range(10, 40), 60]]
    together = yes_no.score(model, prompts, [7, 8])
    alone = torch.cat([yes_no.score(model, [prompt], [7, 8]) for prompt in prompts])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_layers_by_llamas_names() -> None:
    assert lora.targets("gpt_neox", ["q_proj", "v_proj"]) == ["query_key_value"]
    assert lora.targets("llama", ["q_proj", "v_proj"]) == ["q_proj", "v_proj"]


def test_unknown_layers_are_named(tiny: Backbone) -> None:
    with pytest.raises(InputError, match="lora_targets: backbone tiny: .*no_proj"):
        lora.add(tiny, LoraConfig(lora_targets=("no_proj",)), seed=1)
