"""Documentation that runs: the examples in docstrings, the README and in docs/."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
import pkgutil
import re
import runpy
from pathlib import Path
from typing import Any

import foreign
import numpy as np
import pytest
import torch
from foreign import LIBRARIES
from foreign_steps import BASE
from torch.optim.swa_utils import SWALR

import grilly
from grilly import rules, schedules
from grilly.optim import lr_scheduler

ROOT = Path(__file__).parents[1]
MODULES = sorted(m.name for m in pkgutil.walk_packages(grilly.__path__, "grilly."))
SCHEDULES = (ROOT / "docs" / "schedules.md").read_text("utf-8")
DRAW = runpy.run_path(str(ROOT / "tools" / "draw_schedules.py"))
ROWS = DRAW["rows"](SCHEDULES)

STEPS = DRAW["STEPS"]
_LIBRARIES = SCHEDULES.partition("## From another library\n")[2].partition("\n## ")[0]
# Named in docs/schedules.md, but in no table: nobody writes them by hand.
BEHIND = "Ramp EditedRamp EditedCosine Held Polynomial".split()
BEHIND += "OneMinus Debias1 Debias2 Fresh Sampled Counted".split()
# What is public and no schedule that one could choose.
OTHERS = "Schedule Formula NEVER SHIPPED WINDOW from_json schedule_of".split()
OTHERS += "Rule State advance bind check_states metric_of starts".split()


def rows_of_others(text: str) -> list[tuple[str, str, str, str]]:
    """Return the rows of tables of other libraries: library, name, arguments, and ours.

    The library is the first word of a row, or where there is but one word the heading.
    """
    rows = re.findall(r"^### (.*)$|^\| ([\w -]+) \| `([^`]+)` \| `([^`]+)` \|$", text, re.MULTILINE)
    found, heading = [], ""
    for title, name, arguments, ours in rows:
        heading = title or heading
        if not title:
            library, _, last = name.rpartition(" ")
            found.append((library or heading, last, arguments, ours))
    return found


FOREIGN = rows_of_others(_LIBRARIES)
# Runs of those libraries themselves.
RECORDED = [
    *(f"fvcore_{name}" for name in ("cosine", "linear", "multistep", "poly")),
    *(f"ignite_{name}" for name in ("cosine", "linear_cyc", "linear_cyc_mult", "piecewise_linear")),
    *(f"keras_{name}" for name in ("cosine", "cosine_restarts_1", "cosine_warm")),
    *(f"keras_{name}" for name in ("exponential_stair", "inverse_time_stair", "piecewise")),
    *(f"keras_{name}" for name in ("polynomial", "polynomial_cycle")),
    *(f"mlx_{name}" for name in ("linear", "step")),
    *(f"timm_{name}" for name in ("cosine", "cosine_cycles_same", "cosine_warm_noprefix")),
    "timm_multistep",
]


def blocks(text: str) -> list[str]:
    """Return the Python in a Markdown text."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def run(program: str, namespace: dict[str, Any]) -> None:
    """Run a program in ``namespace``."""
    exec(compile(program, "README.md", "exec"), namespace)


def names(code: str) -> set[str]:
    """Return the names in an expression."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


README = blocks((ROOT / "README.md").read_text("utf-8"))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples_in_docstrings() -> None:
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(name) for name in MODULES]
    assert sum(bool(test.examples) for m in modules for test in finder.find(m)) >= 5


def test_the_readmes_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(README) == 7
    run("\n".join(README), {})
    assert capsys.readouterr().out.startswith("[")


def test_the_readmes_kernel_runs(
    place: str | int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = README[6]
    printed = re.search(r"^print.*# (.*)$", program, re.MULTILINE)
    imports = README[0][: README[0].index("\n\n")]
    monkeypatch.setenv("GRILLY_DEVICE", str(place))
    names: dict[str, Any] = {}
    run(f"{imports}\n{program}", names)
    assert printed is not None and capsys.readouterr().out.strip() == printed[1]
    assert names["weight"].data.device == grilly.zeros(1, place).device


def test_a_run_that_the_readme_saved_goes_on_to_the_same_bits() -> None:
    steps = "range(1000)"
    train, save, load = README[0], README[2], README[3]
    loop = train[train.index("for step in ") :]
    assert train.count(steps) == 1
    one: dict[str, Any] = {}
    run(train.replace(steps, "range(300)") + save + loop.replace(steps, "range(200)"), one)
    other: dict[str, Any] = {"saved": one["saved"]}
    run(train.replace(steps, "range(7)"), other)
    run("import pickle\n" + load + loop.replace(steps, "range(200)"), other)
    assert [p.data.tobytes() for p in one["params"]] == [p.data.tobytes() for p in other["params"]]
    assert one["scheduler"].last_epoch == other["scheduler"].last_epoch == 500


@pytest.mark.parametrize(
    ("name", "least"), [("schedules", 40), ("device-metrics", 15), ("device-arrays", 12)]
)
def test_the_examples_of_a_page_run(name: str, least: int) -> None:
    # In order, as one program; a blank line ends what an example prints.
    page = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    text = "\n".join(f"{block}\n" for block in blocks(page))
    program = doctest.DocTestParser().get_doctest(text, {}, f"docs/{name}.md", None, None)
    assert len(program.examples) == text.count(">>> ") >= least
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


@pytest.mark.parametrize("row", FOREIGN, ids=lambda row: f"{row[1]}({row[2]})")
def test_what_another_library_has_is_the_same_in_grilly(row: tuple[str, ...]) -> None:
    library, name, arguments, ours = row
    theirs = torchs if library == "PyTorch" else plain
    want = theirs(library, name, arguments)
    got = DRAW["values"](DRAW["evaluated"](ours))
    assert len(got) == len(want) == STEPS
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-9)


def test_there_are_tables_of_the_other_libraries() -> None:
    assert {library for library, *_ in FOREIGN} == {"PyTorch", *LIBRARIES}
    rows = re.findall(r"^\| \w.*$", _LIBRARIES, re.MULTILINE)
    assert len(FOREIGN) == sum("| with |" not in row for row in rows)
    named = {name for library, name, *_ in FOREIGN if library == "PyTorch"}
    assert {*lr_scheduler.__all__} - named == {"LRScheduler", "GreedyLR", "get_scheduler"}


@pytest.mark.parametrize("case", RECORDED)
def test_the_formulas_of_other_libraries_are_what_was_recorded(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = json.loads((ROOT / "tests" / "golden" / f"{case}.json").read_text("utf-8"))
    library = {name.lower(): formulas for name, formulas in LIBRARIES.items()}[case.split("_")[0]]
    monkeypatch.setattr(foreign, "T", 300.0)
    given = {name: value for name, value in recorded["args"].items() if name != "param_name"}
    got = [vars(library)[recorded["scheduler"]](t, **given) for t in range(len(recorded["lr"]))]
    np.testing.assert_allclose(got, np.array(recorded["lr"])[:, 0], rtol=1e-6)


def torchs(library: str, name: str, arguments: str) -> list[float]:
    """Return the rates of a class of torch's."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=BASE)
    namespace = {**vars(torch.optim.lr_scheduler), "SWALR": SWALR, "optimizer": optimizer}
    scheduler = eval(f"{name}(optimizer=optimizer, {arguments})", namespace)
    rates = []
    for t in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if t + 1 < STEPS:
            scheduler.step(*[DRAW["loss"](t)] * (name == "ReduceLROnPlateau"))
    return rates


def plain(library: str, name: str, arguments: str) -> list[float]:
    """Return the rates of another library's class by its formula."""
    formula = vars(LIBRARIES[library])[name.replace("-", "_")]
    given = eval(f"dict({arguments})")
    return [formula(t, **given) for t in range(STEPS)]


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


@pytest.mark.parametrize("number", [0, 1])
def test_the_examples_of_device_training(place: str | int, number: int) -> None:
    text = (ROOT / "docs" / "device-training.md").read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    given = re.findall(r'device ?= ?"cpu"', examples[number])
    assert len(given) == 1
    example = examples[number].replace(given[0], f"device={place!r}")
    names: dict[str, Any] = {}
    exec(compile(example, "docs/device-training.md", "exec"), names)
    assert names["p"].data.device == grilly.zeros(1, place).device


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/torch-differences.md"),
        *("docs/schedules.md", "docs/device-metrics.md", "docs/device-training.md"),
        "docs/device-arrays.md",
    ],
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
