import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from baselines.attention import Block, SelfAttention
from baselines.bert4rec import BERT4Rec, BERT4RecConfig, cloze
from baselines.encoder import CausalConfig
from baselines.narm import NARM, STEPS
from baselines.packed import pack
from baselines.sasrec import SASRec, SASRecConfig
from harness.seeds import rng, seeded
from tests.support import CPU

PADDED = torch.tensor([[0, 0, 5, 9], [1, 2, 3, 4], [0, 6, 7, 8]])


@pytest.mark.parametrize("causal", [True, False])
def test_attention_is_torchs_on_each_sequence_alone(causal: bool) -> None:
    with seeded(1, "init"):
        ours = SelfAttention(8, 2, 0.0, causal=causal)
        theirs = nn.MultiheadAttention(8, 2, batch_first=True)
        table = torch.randn(10, 8)
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.project.weight,
            "in_proj_bias": ours.project.bias,
            "out_proj.weight": ours.merge.weight,
            "out_proj.bias": ours.merge.bias,
        }
    )
    padded = torch.cat([PADDED, PADDED[:2]])
    packed = pack(padded, CPU)
    assert packed.groups == [(2, 4), (2, 3), (1, 2)]  # the second of 3 and of 2 items
    found = ours(table[packed.items], packed)
    for number, row in enumerate(padded):
        x = table[row[row > 0]][None]
        hidden = torch.ones(x.shape[1], x.shape[1]).triu(1).bool() if causal else None
        expected, _ = theirs(x, x, x, attn_mask=hidden)
        torch.testing.assert_close(found[packed.row == number], expected[0])


@pytest.mark.parametrize("causal", [True, False])
def test_a_block_tells_the_same_of_what_is_asked_alone(causal: bool) -> None:
    with seeded(1, "init"):
        block, table = Block(8, 16, 2, 0.5, causal=causal).eval(), torch.randn(10, 8)
    packed = pack(PADDED, CPU)
    asked = torch.tensor([7, 0, 4, 4])
    x = table[packed.items]
    torch.testing.assert_close(block(x, packed, asked), block(x, packed)[asked])
    assert block(x, packed, asked[:0]).shape == (0, 8)


def test_narm_attends_from_every_prefix_as_from_a_session_of_its_own() -> None:
    assert STEPS < 19, "the first windows must take several passes"
    with seeded(1, "init"):
        model = NARM(CausalConfig(width=8, dropout=0.0), 20, 30).eval()
    windows = torch.from_numpy(rng(1, "items").integers(1, 21, (6, 20)))
    for row, absent in enumerate([0, 9, 2, 12, 17, 5]):
        windows[row, :absent] = 0
    prefixes = [(row[row > 0][:end], row[row > 0][end]) for row in windows for end in range(1, int((row > 0).sum()))]
    scores = torch.cat([model.scores(prefix[None]) for prefix, _ in prefixes])[:, 1:]
    targets = torch.stack([target for _, target in prefixes])
    expected = nn.functional.cross_entropy(scores, targets - 1)
    torch.testing.assert_close(model.loss(windows, rng(1)), expected)


def test_narms_score_by_hand() -> None:
    with seeded(1, "init"):
        model = NARM(CausalConfig(width=4, dropout=0.0), 5, 3).eval()
    history = torch.tensor([[2, 5, 1]])
    h = model.gru(model.embedding(history[0]))[0]
    alpha = [torch.sigmoid(model.query.weight @ h[2] + model.key.weight @ h[j]) @ model.value for j in range(3)]
    joined = torch.cat([h[2], sum(a * state for a, state in zip(alpha, h, strict=True))])
    expected = model.embedding.weight[1:] @ (model.bilinear.weight @ joined)
    torch.testing.assert_close(model.scores(history)[0, 1:], expected)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="heads 3 does not divide width 64; choose one that does"):
        SASRecConfig(heads=3)


def test_positions_are_counted_from_the_end() -> None:
    with seeded(1, "init"):
        model = SASRec(SASRecConfig(width=8, blocks=1), 10, 4).eval()
    before = model.scores(torch.tensor([[3]]))
    model.position.weight.data[1:] += 1
    assert torch.equal(model.scores(torch.tensor([[3]])), before)
    model.position.weight.data[0, 0] += 1
    assert not torch.equal(model.scores(torch.tensor([[3]])), before)


@given(st.integers(0, 10**6), st.floats(0.01, 1.0))
def test_cloze_masks_its_share_of_items_and_never_padding(seed: int, share: float) -> None:
    windows = PADDED.numpy()
    masked = cloze(windows, share, 0.0, rng(seed, "loss"))
    assert not masked[windows == 0].any()
    assert masked.sum(1).tolist() == [max(1, round(share * n)) for n in (2, 4, 3)]


def test_cloze_masks_the_last_item_alone_in_its_share_of_windows() -> None:
    windows = np.tile(np.arange(1, 11), (4000, 1))
    assert (cloze(windows, 0.5, 1.0, rng(1, "loss")) == (windows == 10)).all()
    alone = cloze(windows, 0.5, 0.25, rng(1, "loss")).sum(1) == 1
    assert alone.mean() == pytest.approx(0.25, abs=0.03)


def test_cloze_is_drawn_anew() -> None:
    windows = np.tile(np.arange(1, 11), (20, 1))
    first, again, second = (cloze(windows, 0.3, 0.1, rng(1, "loss", step)) for step in (1, 1, 2))
    assert (first == again).all()
    assert (first != second).any()


def test_bert4rec_never_reads_the_item_that_it_is_asked_for() -> None:
    """With the last item alone masked, the loss depends on that item only through the target's score."""
    with seeded(1, "init"):
        model = BERT4Rec(BERT4RecConfig(width=8, mask_last=1.0), 10, 4).eval()
    scores = model.scores(torch.tensor([[1, 2, 3]]))[:, 1:]
    for item in range(4, 11):
        expected = nn.functional.cross_entropy(scores, torch.tensor([item - 1]))
        torch.testing.assert_close(model.loss(torch.tensor([[1, 2, 3, item]]), rng(1)), expected)
