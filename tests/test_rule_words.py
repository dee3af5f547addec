"""The words of rules on a device: there and back, as many as there can be, what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from rule_cases import KINDS, METRICS, RULES, Case, same
from rule_runner import run, values_of
from targets import HostTarget

from grilly import vk, xfloat
from grilly.errors import DeviceLimitError, StateError
from grilly.optim.lr_scheduler import GreedyLR
from grilly.rules import Greedy, Plateau, packed, words
from grilly.rules.on_device import (
    device_greedy,
    device_plateau,
    greedy_groups,
    held_of,
    plateau_groups,
    state_of,
)
from grilly.rules.packed import Held


def test_a_name_has_one_place_in_all_kinds() -> None:
    """The printed constants do not say of which kind they are."""
    for kinds in (words.SETTINGS, words.STATES, words.BOUNDS):
        places: dict[str, set[int]] = {}
        for fields in kinds.values():
            for name, at in words.offsets(fields).items():
                places.setdefault(name, set()).add(at)
        assert all(len(found) == 1 for found in places.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_comes_back_as_it_was_written(kind: str) -> None:
    case = Case(kind, "count", np.float64, 5)
    packing = packed.pack(case.given)
    for row in case.states[:: METRICS // 8]:
        held = [replace(held_of(state, 7), refused=-math.inf, waits=3, left=4) for state in row]
        state = np.concatenate([packed.write_state(packing, i, one) for i, one in enumerate(held)])
        assert len(state) == packing.state_words
        got = [packed.read_state(packing, i, state) for i in range(RULES)]
        assert same([state_of(one) for one in got], row)
        assert all((o.seen, o.refused, o.waits, o.left) == (7, -math.inf, 3, 4) for o in got)


def test_as_many_targets_as_the_loops_allow(device: vk.Device) -> None:
    rule = Plateau(0.5, factor=0.5, patience=0)
    count = words.MAX_ROUNDS - 7
    given = device_plateau(rule, [3 * i for i in range(count)])
    _, course = run(device, [given], [held_of(rule.start())], np.array([1.0, 1.0]), 3 * count)
    assert np.array_equal(
        course.jobs[1], np.tile(xfloat.to_words(xfloat.from_float64(0.25)), count)
    )
    with pytest.raises(DeviceLimitError, match="rules take 65536 rounds"):
        packed.pack([device_plateau(rule, [0] * (count + 1))])


def test_as_many_rules_as_the_loops_allow(device: vk.Device) -> None:
    rule = Plateau(0.5, factor=0.5, patience=0, accumulation=2)
    count = words.MAX_ROUNDS // 7
    held = [held_of(rule.start())] * count
    metrics = np.ones(4, np.float32)
    packing, course = run(device, [device_plateau(rule, [])] * count, held, metrics, 1)
    last = packed.read_state(packing, count - 1, course.states[-1])
    assert (last.values, last.seen) == ([0.25], 4)


def test_as_many_values_as_the_loops_allow(device: vk.Device) -> None:
    count = (words.MAX_ROUNDS - 6) // 6
    target = HostTarget("SGD", [{"lr": 0.25}])
    scheduler = GreedyLR(target.optimizer, factor=0.5, patience=0, smooth=True)
    bounds = [(0.0, 1.0, 0.25)] * count
    rule = greedy_groups(scheduler, bounds, 500, [[]] * count)
    held = Held(scheduler._counts(), [0.25] * count)
    got = values_of(device, rule, held, [1.0, 2.0, 2.0])
    assert got == [[0.5] * count, [0.25] * count, [0.125] * count]
    with pytest.raises(DeviceLimitError, match="rounds of a loop"):
        packed.pack([greedy_groups(scheduler, [*bounds, (0, 1, 0)], 500, [[]] * (count + 1))])


PLATEAU, GREEDY = Plateau(0.5), Greedy(0.5, smooth=True, window_size=2)


def test_rules_that_no_device_can_count() -> None:
    with pytest.raises(ValueError, match="cooldown must be at most 2\\*\\*53"):
        device_plateau(Plateau(cooldown=2**54), [])
    with pytest.raises(ValueError, match="nonfinite must be"):
        device_plateau(PLATEAU, [], "skip")
    with pytest.raises(ValueError, match=r"least must be finite, got -inf"):
        plateau_groups(PLATEAU, [-math.inf], [[]])
    with pytest.raises(ValueError, match="each of its values, got 2 and 1"):
        plateau_groups(PLATEAU, [0, 0], [[]])
    with pytest.raises(ValueError, match="targets must be words of the jobs, got -1"):
        packed.pack([device_plateau(PLATEAU, [-1])])
    with pytest.raises(ValueError, match=r"one kind, got \['greedy', 'plateau'\]"):
        packed.pack([device_plateau(PLATEAU, []), device_greedy(GREEDY, [])])
    with pytest.raises(ValueError, match=r"one kind, got \[\]"):
        packed.pack([])


def test_states_that_no_device_can_go_on_from() -> None:
    packing = packed.pack([device_greedy(GREEDY, [])])
    counts = held_of(GREEDY.start()).counts
    with pytest.raises(StateError, match="window must have at most window_size=2 metrics, got 3"):
        packed.write_state(packing, 0, Held({**counts, "window": [1.0, 2.0, 3.0]}, [0.5]))
    with pytest.raises(StateError, match="values must be 1 finite numbers"):
        packed.write_state(packing, 0, Held(counts, [math.nan]))
    with pytest.raises(StateError, match="values must be 1 finite numbers"):
        packed.write_state(packing, 0, Held(counts, [0.5, 0.5]))
    with pytest.raises(StateError, match="left must be from 0 to"):
        packed.write_state(packing, 0, Held(counts, [0.5], left=-1))
    with pytest.raises(ValueError, match="bad must be at most"):
        packed.write_state(packing, 0, Held({**counts, "bad": 2**54}, [0.5]))
