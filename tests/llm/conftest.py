import pytest
import torch

from harness.home import Home
from harness.llm import backbone, lora
from harness.llm.backbone import Backbone
from harness.llm.tuning import TuningConfig


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def tiny(home: Home) -> Backbone:
    """A fresh copy of the tiny backbone in float32."""
    return backbone.load("tiny", home, torch.device("cpu"), dtype="float32")


@pytest.fixture
def adapted(tiny: Backbone) -> Backbone:
    """The same with an adapter that does something."""
    lora.add(tiny, TuningConfig(lora_dropout=0.0), seed=1)
    for index, tensor in enumerate(lora.adapter(tiny.model).values()):
        torch.nn.init.normal_(tensor, std=0.1, generator=torch.Generator().manual_seed(index))
    return tiny
