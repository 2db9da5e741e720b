from pathlib import Path

import pytest
import torch

from harness import checkpoint

TENSORS = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor(3), "c": torch.ones(4, dtype=torch.bfloat16)}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, TENSORS, {"step": 7, "curve": [[1, 0.5, 2.0]]})
    found = checkpoint.load(tmp_path)
    assert found is not None
    tensors, state = found
    assert state == {"step": 7, "curve": [[1, 0.5, 2.0]]}
    assert tensors.keys() == TENSORS.keys()
    assert all(
        torch.equal(tensors[name], value) and tensors[name].dtype == value.dtype for name, value in TENSORS.items()
    )


@pytest.mark.parametrize("damage", ["flipped", "truncated", "emptied", "folder", "none"])
def test_a_checkpoint_that_is_not_whole_is_none(tmp_path: Path, damage: str) -> None:
    checkpoint.save(tmp_path, TENSORS, {"step": 7})
    path = tmp_path / checkpoint.FILE
    whole = path.read_bytes()
    path.unlink()
    if damage == "flipped":
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    elif damage in ("truncated", "emptied"):
        path.write_bytes(whole[: len(whole) // 2] if damage == "truncated" else b"")
    elif damage == "folder":
        path.mkdir()
    assert checkpoint.load(tmp_path) is None


def test_an_optimiser_goes_on_as_if_nothing_had_happened() -> None:
    def steps(optimizer: torch.optim.Optimizer, weight: torch.Tensor, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()

    whole = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = torch.optim.AdamW([whole], lr=0.1)
    steps(optimizer, whole, 3)
    resumed = torch.nn.Parameter(whole.detach().clone())
    other = torch.optim.AdamW([resumed], lr=0.1)
    kept = {name: value.clone() for name, value in checkpoint.pack_optimizer(optimizer).items()}
    checkpoint.unpack_optimizer(other, kept)
    steps(optimizer, whole, 2)
    steps(other, resumed, 2)
    assert torch.equal(whole, resumed)
