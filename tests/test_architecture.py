"""Arrows point one way: reports -> harness <- baselines, no circle, and layers inside the harness."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import baselines  # noqa: F401  registers the systems
from harness import system as register

ROOT = Path(__file__).parents[1]
MAX_LINES = 400
LAYERS = (
    {
        "__init__",
        "errors",
        "folders",
        "config",
        "home",
        "seeds",
        "dropout",
        "data",
        "record",
        "sealed",
        "outcomes",
        "metrics",
        "commits",
        "checkpoint",
        "papers",
        "store",
        "environment",
        "card",
        "peak_memory",
        "latency",
        "roofline",
        "system",
        "progress",
    },
    {"tasks", "llm"},
    {
        "audit",
        "training",
        "stats",
        "paired",
        "verdict",
        "resolve",
        "selection",
        "summarised",
        "repeated",
        "positions",
        "blind",
        "probes",
        "job",
        "released",
        "run",
        "grid",
    },
    {
        "evidence",
        "gains",
        "other_rule",
        "variants",
        "cell",
        "costs",
        "shown",
        "cells",
        "columns",
        "sizes",
        "keeping",
        "claims",
        "recheck",
        "significance",
        "compare",
        "show",
        "engine",
        "reproduce",
        "doctor",
        "console",
        "listing",
        "options",
        "cli",
        "__main__",
    },
)
LEVEL = {module: level for level, modules in enumerate(LAYERS) for module in modules}


def sources() -> dict[str, Path]:
    """Dotted module name -> file, for the product's three packages."""
    files = (path for package in ("harness", "baselines", "reports") for path in (ROOT / package).rglob("*.py"))
    named = ((path, ".".join(path.relative_to(ROOT).with_suffix("").parts)) for path in files)
    return {name.removesuffix(".__init__"): path for path, name in named}


MODULES = sources()


def imports(path: Path) -> set[str]:
    """Modules of this repository that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {
                f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module
                for alias in node.names
            }
    return {name for name in found if name.split(".")[0] in ("harness", "baselines", "reports", "benchmarks", "tests")}


def layer_of(module: str) -> int:
    return LEVEL[module.split(".")[1]] if "." in module else 0


@pytest.mark.parametrize("module", sorted(MODULES))
def test_packages_only_depend_on_the_harness(module: str) -> None:
    package = module.split(".")[0]
    allowed = {package, "harness"} | ({"baselines", "reports"} if module == "harness.cli" else set())
    assert {name.split(".")[0] for name in imports(MODULES[module])} <= allowed


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("harness.")))
def test_layers_inside_the_harness(module: str) -> None:
    above = {
        name for name in imports(MODULES[module]) if name.startswith("harness.") and layer_of(name) > layer_of(module)
    }
    assert not above


def test_there_is_no_circle() -> None:
    TopologicalSorter({name: imports(path) - {name} for name, path in MODULES.items()}).prepare()


@pytest.mark.parametrize(
    "path",
    sorted(p for d in ("harness", "baselines", "reports", "benchmarks", "tests") for p in (ROOT / d).rglob("*.py")),
    ids=str,
)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_the_harness_names_no_system() -> None:
    systems = register.systems().keys() - {"popularity"}  # which also says how candidates may be drawn
    assert len(systems) > 10
    for name, path in MODULES.items():
        if name.startswith("harness."):
            constants = {
                n.value
                for n in ast.walk(ast.parse(path.read_text()))
                if isinstance(n, ast.Constant) and isinstance(n.value, str)
            }
            assert not systems & constants, name
