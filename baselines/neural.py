"""What the systems around one small network have in common: its weights, kept and taken back."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from torch import Tensor, nn

from harness.record import ModelRecord
from harness.system import Context, expect

Model = TypeVar("Model", bound=nn.Module)


class NeuralSystem(ABC, Generic[Model]):
    """The part of a system (``harness.system.System``) that is the same whatever its network reads.

    Attributes:
        model: the network, once the system has been fitted or restored.
    """

    model: Model

    @abstractmethod
    def new_model(self, context: Context) -> Model:
        """The network before training, on the context's device."""

    def weights(self) -> dict[str, Tensor]:
        """The network's parameters by name."""
        return self.model.state_dict()

    def restore(self, weights: dict[str, Tensor], context: Context) -> None:
        """Build the network and give it the parameters.

        Raises:
            InputError: they are another network's.
        """
        self.model = self.new_model(context)
        expect(weights, {name: value.shape for name, value in self.model.state_dict().items()})
        self.model.load_state_dict(weights)

    def backbone(self) -> ModelRecord | None:
        """None: trained from scratch."""
        return None
