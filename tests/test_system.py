"""What makes systems known, and what they are refused."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

import baselines  # noqa: F401  registers the systems
from harness import resolve, run, system
from harness.errors import InputError
from tests.worlds import dataset


def test_a_name_is_registered_once() -> None:
    with pytest.raises(InputError, match="system 'narm' is registered twice; choose another name"):
        system.register(system.find("narm"))


def test_a_plug_in_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "no_such_package:SPEC", "llmrec_harness.systems")
    monkeypatch.setattr(system, "entry_points", lambda group: [point] if group == point.group else [])
    with pytest.raises(InputError, match=r"plug-in mine \(no_such_package:SPEC\): ModuleNotFoundError"):
        system.load_plugins()


def test_a_system_that_reads_titles_wants_one_for_every_item() -> None:
    data = dataset([[1, 2, 3]])
    data = replace(data, titles=(data.titles[0], "a", "", *data.titles[3:]))
    config = resolve.resolve("llamarec", "made-up", "smoke", 1, "cpu")
    with pytest.raises(InputError, match=f"made-up: item {data.raw_items[2]} has no title; llamarec needs one for"):
        run.check(system.find("llamarec"), config, data)
    run.check(system.find("narm"), resolve.resolve("narm", "made-up", "smoke", 1, "cpu"), data)
