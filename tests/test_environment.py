"""What tox installs is pinned to the last version: any library can move numbers, and a new one break tests."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
UNPINNED = {"pip", "vllm"}  # pip installs; vLLM, which tox does not install, wants a torch of its own


def pins() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, lines[1:])}


def asked_for() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    return [Requirement(text) for text in [*project["dependencies"], *extras]]


def test_every_dependency_is_pinned_within_what_the_package_allows() -> None:
    allowed = {canonicalize_name(one.name): one.specifier for one in asked_for()}
    pinned = {name: next(iter(pin.specifier)) for name, pin in pins().items()}
    assert all(pin.operator == "==" for pin in pinned.values())
    assert allowed.keys() - pinned.keys() == UNPINNED
    assert [name for name in allowed.keys() & pinned.keys() if pinned[name].version not in allowed[name]] == []


def test_the_peer_runs_on_the_harness_s_torch() -> None:
    peer = (ROOT / "benchmarks/peers/recbole.txt").read_text().splitlines()
    assert str(pins()["torch"]) in peer
