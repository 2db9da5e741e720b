"""Scores to ranks and lists, with ties and excluded items treated as the protocol says."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from harness.errors import WorkError
from harness.system import Queries, Scorer

Ints = npt.NDArray[np.int64]


def check_shape(scores: Tensor, expected: tuple[int, int]) -> Tensor:
    """The scores, if they are what a system must return.

    Raises:
        WorkError: they are no floating-point tensor of the expected shape.
    """
    if not isinstance(scores, Tensor) or not scores.is_floating_point() or scores.shape != expected:
        found = f"{scores.dtype} {list(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
        raise WorkError(f"a system's scores are {found}; expected a floating-point tensor {list(expected)}")
    return scores


def check_finite(scores: Tensor) -> Tensor:
    """The scores, of shape [query, candidate].

    Raises:
        WorkError: one of them is NaN or infinite.
    """
    if not torch.isfinite(scores.sum(dim=1)).all():  # a cheap look first; a sum of finite scores can overflow too
        finite = torch.isfinite(scores).all(dim=1)
        if not finite.all():
            bad = int((~finite).nonzero()[0])
            raise WorkError(f"scores of query {bad} of the batch hold NaN or infinity; every score must be finite")
    return scores


def exclude(scores: Tensor, excluded: Tensor, target: Tensor) -> Tensor:
    """Take items out of a ranking of the whole catalogue; the target always stays in.

    Args:
        scores: shape [query, item + 1]; column 0 is padding and is taken out too.
        excluded: item ids, 0 for none, shape [query, excluded].
        target: item ids, shape [query].

    Raises:
        WorkError: a score is not finite.
    """
    check_finite(scores[:, 1:])
    kept = scores.gather(1, target[:, None])
    allowed = scores.scatter(1, excluded, -torch.inf)
    allowed[:, 0] = -torch.inf
    return allowed.scatter_(1, target[:, None], kept)


def rank_of(scores: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
    """Rank of one column in each row, ties counted against it.

    Counts are summed as floats (exact below 2^24), which is several times faster than summing booleans.

    Args:
        scores: shape [query, candidate].
        column: the target's column, shape [query].

    Returns:
        1-based ranks and the number of other candidates with the target's score, both of shape [query].
    """
    target = scores.gather(1, column[:, None])
    flags = torch.empty(scores.shape, device=scores.device)
    ties = torch.eq(scores, target, out=flags).sum(dim=1).long() - 1
    return 1 + torch.gt(scores, target, out=flags).sum(dim=1).long() + ties, ties


def ask(scorer: Scorer, queries: Queries, target: Tensor) -> tuple[Ints, Ints]:
    """Ask a system to score the candidates of some queries.

    Args:
        scorer: the system's scores.
        queries: with candidates, among which the target stands once.
        target: item ids, shape [query].

    Returns:
        The target's 1-based rank among its candidates, and its ties, both of shape [query].

    Raises:
        WorkError: the target does not stand once among the candidates, or the scores are not finite, or not theirs.
    """
    assert queries.candidates is not None
    candidates = queries.candidates.clone()  # a system may write into its own
    stands = (candidates == target[:, None].to(candidates.device)).sum(dim=1)
    if wrong := (stands != 1).nonzero().flatten().tolist():
        user, times = int(queries.user[wrong[0]]), int(stands[wrong[0]])
        raise WorkError(f"the query of user {user} offers its target {times} times; once would be right")
    with torch.inference_mode():
        scores = scorer(queries)
        check_finite(check_shape(scores, (len(target), candidates.shape[1])))
        column = (candidates == target[:, None]).int().argmax(dim=1)
        rank, ties = rank_of(scores, column.to(scores.device))
    return rank.cpu().numpy(), ties.cpu().numpy()


def top_items(scores: Tensor, k: int) -> Tensor:
    """The k best columns of each row, best first, equal scores in order of id; 0 where fewer than k are allowed.

    Args:
        scores: shape [query, item + 1], -inf for items that are not allowed.
        k: length of the list.

    Returns:
        Item ids, shape [query, k], or as many as there are items.
    """
    k = min(k, scores.shape[1] - 1)
    values, items = scores.topk(k, dim=1)
    items = items.sort(dim=1).values
    by_score = scores.gather(1, items).argsort(dim=1, descending=True, stable=True)
    items = items.gather(1, by_score)
    tied = (scores >= values[:, -1:]).sum(dim=1) > k
    if tied.any():
        items[tied] = scores[tied].argsort(dim=1, descending=True, stable=True)[:, :k]
    return items.masked_fill(scores.gather(1, items) == -torch.inf, 0)
