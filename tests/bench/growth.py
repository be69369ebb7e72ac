"""B9: ten times the members: how much longer the month's invoices and the nightly review take, and in how much memory."""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from django.db import connection

from tests import databases
from tests.bench.measuring import Figure

FULL_SIZES = (40_000, 400_000)
TEMPLATE, SCRATCH = "bench_grown", "bench_growth"
WORK = {"invoices": "a month's invoices", "pushes": "starts pushed"}


def measure(*, sizes: tuple[int, int], rounds: int) -> Iterator[Figure]:
    """Each run in a process of its own, for the smaller exchange and for the larger in turn."""
    for name, words in WORK.items():
        templates = {count: f"{TEMPLATE}_{place}" for place, count in enumerate(sizes)}
        for count, template in templates.items():
            _make(name, template=template, count=count)
        measured = [
            [_run(name, template=templates[count], count=count) for count in sizes] for _ in range(rounds)
        ]
        for template in (*templates.values(), SCRATCH):
            databases.drop(template)
        size = " to ".join(f"{count:,}" for count in sizes)
        times = [large[0] / small[0] for small, large in measured]
        memory = [large[1] / small[1] for small, large in measured]
        seconds = statistics.median(large[0] for _small, large in measured)
        peak = statistics.median(large[1] for _small, large in measured)
        growth = sizes[1] / sizes[0]
        yield _show(f"{words}: time as members grow", size, times, 1.05 * growth, f"{seconds:.1f} s")
        yield _show(f"{words}: peak memory as members grow", size, memory, 1.1, f"{peak / 1024:.0f} MB")


def _show(what: str, size: str, ratios: list[float], goal: float, detail: str) -> Figure:
    spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
    return Figure("B9", what, size, statistics.median(ratios), spread, goal, detail)


def _make(name: str, *, template: str, count: int) -> None:
    from tests.bench import invoices, pushes

    makers = {"invoices": invoices.make_billed, "pushes": pushes.make_waiting}
    makers[name](name=template, count=count)


def _run(name: str, *, template: str, count: int) -> tuple[float, float]:
    """Seconds, and the peak memory in kB, of a fresh process on a fresh copy."""
    connection.close()
    databases.clone(template=template, name=SCRATCH)
    command = [sys.executable, "-m", "tests.bench.growth", name, str(count)]
    environment = databases.environment_of(SCRATCH)
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seconds, peak = answer.stdout.split()
    return float(seconds), float(peak)


def main() -> None:
    """Do one run on the database that the environment names, and print its seconds and the peak memory in kB."""
    import django

    django.setup()
    from tests.bench import invoices, pushes

    work = {"invoices": invoices.issue_ours, "pushes": pushes.review_ours}[sys.argv[1]]
    connection.ensure_connection()
    start = time.perf_counter()
    work(int(sys.argv[2]) if int(sys.argv[2]) >= 0 else None)
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
