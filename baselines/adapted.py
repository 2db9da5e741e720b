"""What the systems around one LLM with an adapter have in common: the backbone, and the adapter's weights."""

from typing import Any

from torch import Tensor

from harness.llm import lora
from harness.llm.backbone import Backbone, load
from harness.record import ModelRecord
from harness.system import Context


class AdaptedSystem:
    """The part of a system (``harness.system.System``) that is the same whatever its LLM is asked.

    Attributes:
        llm: the backbone with its adapter, once the system has been fitted or restored.
    """

    llm: Backbone

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def weights(self) -> dict[str, Tensor]:
        """The adapter."""
        return lora.adapter(self.llm.model)

    def restore(self, weights: dict[str, Tensor], context: Context) -> None:
        """Load the backbone and give it the adapter.

        Raises:
            InputError: the adapter is another model's.
        """
        self._load(context)
        lora.take(self.llm.model, weights)

    def backbone(self) -> ModelRecord:
        """The LLM under the adapter."""
        return self.llm.record

    def _load(self, context: Context) -> None:
        """Get the backbone with a fresh adapter."""
        settings = self.settings
        self.llm = load(
            settings.backbone,
            context.home,
            context.device,
            dtype=settings.dtype,
            quantisation=settings.quantisation,
            report=context.report,
        )
        lora.add(self.llm, settings, context.seed)
