"""Dropout that costs the CPU a fraction of torch's own, which draws one 64-bit number at a time per element."""

import torch
from torch import Tensor, nn

LEVELS = 2**16


class Dropout(nn.Module):
    """Set elements to 0 with probability ``p`` (to the nearest 1/65536) and scale the others to keep the mean.

    One random 64-bit word serves four elements, 16 bits each.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Any shape; the identity outside training."""
        dropped = min(round(self.p * LEVELS), LEVELS - 1)
        if not self.training or dropped == 0:
            return x
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
        levels = words.view(torch.int16)[: x.numel()].view(x.shape)  # uniform over -LEVELS/2 .. LEVELS/2 - 1
        keep = (levels >= dropped - LEVELS // 2).to(x.dtype)
        return x * keep.mul_(LEVELS / (LEVELS - dropped))
