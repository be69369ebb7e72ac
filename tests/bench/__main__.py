"""`make bench`: every benchmark at the sizes of the goals, or smaller ones (SIZE=0.1), and a table of the figures."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import django

from tests.bench import bank_files
from tests.bench.measuring import Figure, draw_table

ROOT = Path(__file__).resolve().parents[2]


def measure_all(*, size: float) -> Iterator[Figure]:
    """Every benchmark there is, at a part of its full size."""
    from tests.bench import bills, payments_list, returned

    yield from bank_files.measure(sizes=[int(100_000 * size), int(500_000 * size)])
    yield from returned.measure(size=int(returned.FULL_SIZE * size))
    yield from bills.measure(size=int(bills.FULL_SIZE * size))
    yield from payments_list.measure(size=int(payments_list.FULL_SIZE * size))


def main() -> None:
    """Measure, print the table, and fail where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")
    django.setup()
    parser.add_argument("--size", type=float, default=1.0, help="a part of the full sizes, such as 0.1")
    figures = []
    for figure in measure_all(size=parser.parse_args().size):
        print(f"{figure.name} {figure.what}: {figure.ratio:.2f}", file=sys.stderr, flush=True)
        figures.append(figure)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    print(draw_table(figures, commit=commit.strip() or "none"))
    sys.exit(not all(figure.holds for figure in figures))


if __name__ == "__main__":
    main()
