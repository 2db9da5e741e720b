"""Losses over the catalogue. N is the number of positions that have a target, V of items, d the width."""

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx
from torch.nn import functional

CHUNK = 2**19  # logits held at once; 2 MB stay in a CPU's cache


def linear_cross_entropy(features: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor) -> Tensor:
    """Mean cross-entropy of ``softmax(features @ weight.T + bias)``, without ever holding all [N, V] logits.

    The gradients are worked out in the forward pass, chunk by chunk, while the logits are in the cache (the idea of
    Wijmans et al. 2024, "Cut Your Losses in Large-Vocabulary Language Models").

    Args:
        features: shape [N, d].
        weight: item vectors, shape [V, d].
        bias: shape [V], or None for none.
        target: column of each position's item, shape [N].
    """
    bias = weight.new_zeros(len(weight)) if bias is None else bias
    loss: Tensor = _LinearCrossEntropy.apply(features, weight, bias, target)  # type: ignore[no-untyped-call]
    return loss


class _LinearCrossEntropy(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:
        total = features.new_zeros(())
        d_features, d_weight, d_bias = torch.empty_like(features), torch.zeros_like(weight), torch.zeros_like(bias)
        size = max(1, CHUNK // len(weight))
        logits = features.new_empty(min(size, len(features)), len(weight))  # kept: fresh pages cost time
        for start in range(0, len(features), size):
            part = slice(start, start + size)
            x, y = features[part], target[part, None]
            z = torch.addmm(bias, x, weight.T, out=logits[: len(x)])  # [chunk, V]
            highest, chosen = z.amax(1, keepdim=True), z.gather(1, y)
            mass = z.sub_(highest).exp_().sum(1, keepdim=True)
            total += (mass.log() + (highest - chosen)).sum()
            d_logits = z.div_(mass).scatter_add_(1, y, mass.new_full(y.shape, -1.0))
            torch.mm(d_logits, weight, out=d_features[part])
            d_weight.addmm_(d_logits.T, x)
            d_bias += d_logits.sum(0)
        ctx.save_for_backward(d_features, d_weight, d_bias)
        return total / len(target)

    @staticmethod
    def backward(ctx: FunctionCtx, *d_loss: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        d_features, d_weight, d_bias = ctx.saved_tensors  # type: ignore[attr-defined]
        scale = d_loss[0] / len(d_features)
        return d_features * scale, d_weight * scale, d_bias * scale, None


def binary_cross_entropy(positive: Tensor, negative: Tensor, beta: float = 1.0) -> Tensor:
    """SASRec's loss (Kang and McAuley 2018, section III-E) and its generalised form.

    The negatives' terms are summed. gSASRec's authors average them with the target's; AdamW's steps do not see the
    difference, a gradient that is clipped does.

    Args:
        positive: scores of the targets, shape [N].
        negative: scores of each target's negatives, shape [N, negative].
        beta: 1 is the plain loss; below 1, ``sigmoid(positive) ** beta`` takes the place of the target's probability.
    """
    return -(beta * functional.logsigmoid(positive) + functional.logsigmoid(-negative).sum(1)).mean()


def gbce_beta(negatives: int, items: int, calibration: float) -> float:
    """The beta of gBCE (Petrov and Macdonald 2023, gSASRec).

    Args:
        negatives: how many are drawn for a target.
        items: V.
        calibration: 0 gives 1, plain binary cross-entropy; 1 undoes all of the overconfidence that sampling brings.
    """
    rate = negatives / (items - 1)
    return rate * (calibration * (1 - 1 / rate) + 1 / rate)


def sampled_softmax(positive: Tensor, negative: Tensor) -> Tensor:
    """Cross-entropy of the target among itself and its negatives; shapes as in :func:`binary_cross_entropy`.

    The negatives are drawn uniformly, so that no correction of the logits is due.
    """
    return (torch.cat([positive[:, None], negative], 1).logsumexp(1) - positive).mean()
