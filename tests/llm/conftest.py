import pytest
import torch

from harness.home import Home
from harness.llm import backbone
from harness.llm.backbone import Backbone


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def tiny(home: Home) -> Backbone:
    """A fresh copy of the tiny backbone in float32."""
    return backbone.load("tiny", home, torch.device("cpu"), dtype="float32")
