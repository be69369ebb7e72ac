"""Measuring side by side: ours and the yardstick in turn, seven rounds, the median of the ratios and how far they spread."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ROUNDS = 7
Work = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Figure:
    """One line of the table: which benchmark, its size, the ratio that was measured and the goal it is held against."""

    name: str
    what: str
    size: str
    ratio: float
    spread: str
    goal: float
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether the goal is met."""
        return self.ratio <= self.goal


def compare(
    *,
    ours: Work,
    yardstick: Work,
    rounds: int = ROUNDS,
    prepare: Work = lambda: None,
    clock: Clock = time.perf_counter,
) -> tuple[float, str, float]:
    """The median of ours / yardstick, measured in turn so that a machine that slows down slows both; the spread; our seconds.

    `prepare` puts back, before each side, what the other has changed; it is not timed. `clock` is the wall's, or the
    processor's for work that waits for nobody.
    """
    ratios, seconds = [], []
    for number in range(rounds):
        pair = {}
        sides = [("ours", ours), ("yardstick", yardstick)]
        for name, work in sides if number % 2 else sides[::-1]:
            prepare()
            pair[name] = time_once(work, clock=clock)
        ratios.append(pair["ours"] / pair["yardstick"])
        seconds.append(pair["ours"])
    return statistics.median(ratios), f"{min(ratios):.2f}-{max(ratios):.2f}", statistics.median(seconds)


def time_once(work: Work, *, clock: Clock = time.perf_counter) -> float:
    """Seconds of one run, with the garbage of earlier ones collected first and none collected meanwhile."""
    gc.collect()
    gc.disable()
    try:
        start = clock()
        work()
        return clock() - start
    finally:
        gc.enable()


def draw_table(figures: Sequence[Figure], *, commit: str) -> str:
    """The figures as a table that a person can read."""
    rows = [("", "what", "size", "ratio", "spread", "goal", "")]
    rows += [
        (
            figure.name,
            figure.what,
            figure.size,
            f"{figure.ratio:.2f}",
            figure.spread,
            f"<= {figure.goal:g}",
            ("holds" if figure.holds else "MISSED") + (f"; {figure.detail}" if figure.detail else ""),
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([f"commit {commit}", *lines])
