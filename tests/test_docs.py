"""Documentation that runs: the examples in docstrings, the README and docs/schedules.md."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import grilly
from grilly import rules, schedules
from grilly.optim import lr_scheduler

ROOT = Path(__file__).parents[1]
MODULES = sorted(m.name for m in pkgutil.walk_packages(grilly.__path__, "grilly."))
SCHEDULES = (ROOT / "docs" / "schedules.md").read_text("utf-8")
DRAW = runpy.run_path(str(ROOT / "tools" / "draw_schedules.py"))
ROWS = DRAW["rows"](SCHEDULES)

# Named in docs/schedules.md, but in no table: nobody writes them by hand.
BEHIND = "Ramp EditedRamp EditedCosine Held Polynomial".split()
BEHIND += "OneMinus Debias1 Debias2 Fresh Sampled Counted".split()
# What is public and no schedule that one could choose.
OTHERS = "Schedule Formula NEVER SHIPPED WINDOW from_json schedule_of".split()
OTHERS += "Rule State advance bind check_states metric_of starts".split()


def blocks(text: str) -> list[str]:
    """Return the Python in a Markdown text."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def names(code: str) -> set[str]:
    """Return the names in an expression."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples_in_docstrings() -> None:
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(name) for name in MODULES]
    assert sum(bool(test.examples) for m in modules for test in finder.find(m)) >= 5


def test_the_readmes_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    program = blocks((ROOT / "README.md").read_text("utf-8"))
    assert len(program) == 5
    exec(compile("\n".join(program), "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("[")


def test_the_examples_of_the_schedules_run() -> None:
    # In order, as one program; a blank line ends what an example prints.
    text = "\n".join(f"{block}\n" for block in blocks(SCHEDULES))
    program = doctest.DocTestParser().get_doctest(text, {}, "docs/schedules.md", None, None)
    assert len(program.examples) == text.count(">>> ") >= 40
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(program).failed == 0


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_a_schedule_in_a_table_is_one(row: Any) -> None:
    made = DRAW["evaluated"](row.code)
    every = made if isinstance(made, list) else [made]
    assert all(isinstance(schedule, schedules.Schedule) for schedule in every)
    same = re.fullmatch("`([^`]+)`", row.cells[0])
    if same:
        assert made == DRAW["evaluated"](same[1])
    assert row.picture or same


def test_every_schedule_is_in_a_table() -> None:
    # A number where a schedule could be stands for Constant, a sign for what it makes.
    public = {*schedules.__all__, *rules.__all__} - {*OTHERS, *BEHIND}
    shown = {name for row in ROWS for name in names(row.code)}
    shown |= {name for row in ROWS for name in re.findall(r"; an? (\w+)", row.cells[0])}
    assert public - shown == set()
    assert [name for name in BEHIND if f"`{name}`" not in SCHEDULES] == []


def test_every_name_of_torchs_is_found() -> None:
    found = set(re.findall(r"\w+", SCHEDULES))
    assert {*lr_scheduler.__all__} - found == {"LRScheduler"}


def test_the_pictures_are_what_is_drawn(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DRAW["main"](["--check"]) == 0
    # The check sees another number in the text, and a picture that no row has.
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules.md").write_text("| `Linear(0.1, 0, 9)` | ![](schedules/a.svg) |\n")
    monkeypatch.setitem(DRAW["main"].__globals__, "DOCS", tmp_path)
    assert DRAW["main"](["--check"]) == 1
    assert DRAW["main"]([]) == DRAW["main"](["--check"]) == 0
    (tmp_path / "schedules.md").write_text("| `Linear(0.1, 0, 8)` | ![](schedules/a.svg) |\n")
    assert DRAW["main"](["--check"]) == 1
    (tmp_path / "schedules.md").write_text("nothing")
    assert DRAW["main"](["--check"]) == 1
    assert capsys.readouterr().out.count("differs") == 3


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/schedules.md"]
)
def test_links_lead_somewhere(name: str) -> None:
    file = ROOT / name
    for target, _, anchor in re.findall(r"\]\(([^)#:]*)(#([^)]+))?\)", file.read_text("utf-8")):
        found = file.parent / target if target else file
        assert found.exists(), target
        assert not anchor or anchor in anchors(found.read_text("utf-8")), anchor


def anchors(text: str) -> set[str]:
    """Return what GitHub calls the headings of a Markdown text."""
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
