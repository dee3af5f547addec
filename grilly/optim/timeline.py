"""Timeline: what the table must hold for the next step, decided on the host before it.

It knows the two clocks. The optimizer's step is counted per parameter (a parameter without a
gradient stays behind, as in torch), so a group has one lane per distinct count; where nothing
depends on the count (SGD without momentum) updates are not counted. The schedules'
steps are what the schedulers wrote last. As long as both move as predicted nothing is uploaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..backend import Backend
from ..planning import Array, Control, Pace
from ..schedules.steps import MOST_STEPS
from .lanes import Column, Lane, Lanes, Paces, Pairs, Sources, moved
from .options import Key, option
from .products import ROOTS, START, as_floats, begun
from .progress import AS_PREDICTED, Epochs, Places, Progress

if TYPE_CHECKING:
    from .track import Track

R = TypeVar("R")


class Timeline(Lanes):
    """Keeps a backend's table right for each next step.

    ``columns`` are the formulas of a lane, in the order of hyper.COLUMNS. With ``exact`` their bias
    corrections are those of the products of the betas that were used.
    """

    def __init__(self, backend: Backend, columns: Sequence[Column], exact: bool = False) -> None:
        self._backend = backend
        self._columns = columns
        # The betas whose products are kept.
        self._betas = [column.key for column in columns if exact and column.formula in ROOTS]
        self._groups = np.empty(0, np.int64)
        self.progress = Progress()
        # What the next update is: the schedules' steps, the parameters that it changes, and those
        # for which it counts.
        self._now: Epochs = []
        self.active = self._counted = np.empty(0, np.bool_)
        # 1 where an update does not count for a parameter; None: it counts for all.
        self.missed: Array | None = None
        self._lanes: list[Lane] = []
        self.control: Control | None = None
        self._keys: list[Key] = []
        self._behind: Array = np.empty(0, np.int64)
        self._wanted: tuple[Any, ...] = ()
        self._at_plan = self.progress
        # What the table was planned for (None: plan anew), and the schedules' steps in its row 0.
        self._planned: Any = None
        self._started: Epochs = []
        # Which step of a cycle the plan's first update is. A tape's is where its updates have
        # come to, which is not the first if some were left out.
        self.phase = 0
        self._phases: dict[Any, int] = {}
        self._paces: Paces = []
        self._rows = np.inf  # as many as the products are known for

    def take_in(self, groups: Sequence[int]) -> None:
        """Take new parameters in, each named by its group; they have had no update yet."""
        added = len(groups)
        self._groups = np.concatenate([self._groups, np.array(groups, np.int64)])
        missed = np.full(added, self.progress.steps, np.int64)
        behind = np.concatenate([self.progress.behind, missed])
        places = (*self.progress.places, *[(START,) * len(self._betas)] * added)
        moving = np.concatenate([self.progress.moving, np.zeros(added, np.bool_)])
        self.progress = self.progress._replace(behind=behind, places=places, moving=moving)
        self.active = np.concatenate([self.active, np.ones(added, np.bool_)])
        self.forget()

    def forget(self) -> None:
        """Plan anew before the next step: the backend's memory has changed."""
        self._planned = None

    @property
    def products(self) -> list[Pairs]:
        """The products of each parameter's betas, as two float64 each; none are not kept."""
        return [tuple(as_floats(place.product) for place in own) for own in self.progress.now()]

    def load(self, loaded: Sequence[tuple[int, Pairs]], groups: Sequence[dict[str, Any]]) -> None:
        """Set the number of updates of each parameter, and its products.

        A product that is None is a power of the beta in the parameter's group.
        """
        self.restart()
        self._phases.clear()
        counts = [count for count, _ in loaded]
        steps = max(counts, default=0)
        behind = steps - np.array(counts, np.int64)
        places = tuple(self._begun(group, *own) for group, own in zip(groups, loaded, strict=True))
        moving = np.zeros(len(counts), np.bool_)
        self.progress = self.progress._replace(
            steps=steps, behind=behind, places=places, moving=moving
        )

    def _begun(self, group: dict[str, Any], count: int, products: Pairs) -> Places:
        padded = (*products, *[None] * len(self._betas))
        return tuple(
            begun(float(option(group, key)), count, product)
            for key, product in zip(self._betas, padded, strict=False)
        )

    def fits(
        self, sources: Sources, active: Array, counted: Array, paces: Paces | None = None
    ) -> bool:
        """Return whether the table is right for a step that updates the ``active`` parameters.

        Of these, the update counts for the ``counted`` ones only (bool, one a parameter). ``paces``
        are those that the schedules will go on with in a replay; None: they are guessed. If not,
        ``plan`` must follow. Raises ValueError, with nothing changed, if a parameter has had as
        many updates as can be counted.
        """
        self._unfold()
        self._check_countable(active & counted)
        # The count of what is not counted stays; that it falls behind must not need a new plan.
        self._behind = np.where(counted, self.progress.behind, 0)
        self._now = [[source.epoch for source in group.values()] for group in sources]
        schedules = [[source.schedule for source in group.values()] for group in sources]
        # What an idle parameter has missed matters only when it comes back.
        self._wanted = (schedules, np.where(active, self._behind, -1).tolist())
        same_pace = self._paces == paces if paces is not None else self._single
        return (
            same_pace
            and self._planned == (*self._wanted, self.control)
            and self._now == self._predicted(self.progress.row)
            and self.progress.row < self._rows
            and self._same(active, counted)
        )

    def _same(self, active: Array, counted: Array) -> bool:
        self._takes(active, counted)
        return True

    def _takes(self, active: Array, counted: Array) -> None:
        self.active, self._counted = active, counted
        self.missed = None if (active & counted).all() else ~(active & counted) * 1

    def plan(
        self, sources: Sources, active: Array, counted: Array, paces: Paces | None = None
    ) -> None:
        """Make the table right for what ``fits`` was asked about."""
        self.forget()  # if the device fails now, the next step plans again
        self._turn(self._likely() if paces is None else paces)
        self._plan(sources, active, self._behind)
        self._planned = (*self._wanted, self.control)
        self._takes(active, counted)
        self._at_plan = self.progress

    def _turn(self, paces: Paces) -> None:
        """Go over to these paces, and on from where their cycle was left."""
        left = (self.phase + self.progress.row) % self._period
        if left:
            self._phases[_key(self._paces)] = left
        self._paces = paces
        self.phase = self._phases.pop(_key(paces), 0)

    def restart(self) -> None:
        """Begin the next cycle anew, wherever this one was left."""
        self._unfold()
        self.forget()
        self.phase, self._paces = 0, []

    def _check_countable(self, counted: Array) -> None:
        if self.progress.steps < MOST_STEPS:  # of the most updated one, so of all
            return
        full = counted & (self.progress.steps - self.progress.behind >= MOST_STEPS)
        if full.any():
            raise ValueError(
                f"parameter {int(full.argmax())} has had 2^53 updates, the most that can be "
                "counted: load a state_dict with a smaller step, or make a new optimizer"
            )

    @property
    def products_of(self) -> set[Key]:
        """The betas whose products the host must know."""
        return set(self._betas)

    @property
    def updates_left(self) -> float:
        """The number of updates from here on for which the betas' products are known."""
        return self._rows - self.progress.row

    def correct(
        self, updates: int, shifts: Mapping[int, int], driven: Mapping[tuple[int, Key], Track]
    ) -> None:
        """Take notice that only so many updates were made since the plan.

        ``shifts`` says, by a track's identity, how far it was moved therefore.
        """
        self._unfold()
        _, _, _, last, moved, *_ = self.progress
        self.progress = self._at_plan
        # When a schedule moves is guessed from these.
        shifted = [
            [
                e if e is None else e + shifts.get(id(driven.get((group, key))), 0)
                for e, key in zip(own, self._keys, strict=True)
            ]
            for group, own in enumerate(last)
        ]
        self.progress = self.after(updates)._replace(last=shifted, moved=moved)

    def after(self, updates: int = 1) -> Progress:
        """Return the progress once the update that was prepared is made, or so many of it."""
        self._unfold()
        steps, behind, row, last, *_ = self.progress
        behind = behind if self.missed is None else behind + updates * self.missed
        return self.progress._replace(
            steps=steps + updates,
            behind=behind,
            row=row + updates,
            last=self._now if updates == 1 else [],
            moved=moved(self._now, last) if updates == 1 else [],
        )

    def again(self, missed: Array | None) -> Progress:
        """Return the progress once the update that was made last is made again.

        The schedules have moved as predicted. It does not count for the parameters that have a 1 in
        ``missed``; None: it counts for all.
        """
        steps, behind, row, _, _, places, moving = self.progress
        behind = behind if missed is None else behind + missed
        return Progress(steps + 1, behind, row + 1, AS_PREDICTED, [], places, moving)

    def _unfold(self) -> None:
        """Say in the progress what it left out about updates ``again``."""
        if self.progress.last is AS_PREDICTED:
            last, before = (self._predicted(self.progress.row - n) for n in (1, 2))
            self.progress = self.progress._replace(last=last, moved=moved(last, before))

    def step(self) -> None:
        """Apply the update that was prepared; the caller sets ``progress`` to what it comes to."""
        planned, self._planned = self._planned, None  # as in ``_on_backend``
        self._backend.step()
        self._planned = planned

    def rows(self) -> list[np.void]:
        """Return, for each group, the lane of its most updated parameters; waits."""
        row = self._on_backend(self._backend.row)
        first = {lane[0]: i for i, lane in reversed(list(enumerate(self._lanes)))}
        return [row[first[group]] for group in sorted(first)]

    def _on_backend(self, call: Callable[[], R]) -> R:
        planned = self._planned
        self.forget()  # a call that fails leaves the cursor unknown: start anew
        result = call()
        self._planned = planned
        return result

    @property
    def _period(self) -> int:
        return len(self._paces[0][0].within) if self._paces else 1

    @property
    def _single(self) -> bool:
        """Whether the table goes on from update to update, and no schedule moves before one."""
        return all(pace.within == (0,) for own in self._paces for pace in own)

    def _predicted(self, row: int) -> Epochs:
        row += self.phase
        return [
            [None if e is None else e + pace.past(row) for e, pace in zip(*own, strict=True)]
            for own in zip(self._started, self._paces, strict=True)
        ]


def _key(paces: Paces) -> tuple[tuple[Pace, ...], ...]:
    return tuple(map(tuple, paces))
