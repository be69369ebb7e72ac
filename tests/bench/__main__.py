"""`make bench`: every benchmark at the sizes of the goals, or smaller ones (SIZE=0.1), and a table of the figures."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import django

from tests.bench import bank_files
from tests.bench.measuring import ROUNDS, Figure, draw_table

ROOT = Path(__file__).resolve().parents[2]


LARGE = 100_000  # from this size on a round takes minutes, and fewer of them must do
LARGE_ROUNDS = 3


def measure_all(
    *, size: float, only: Collection[str], rounds: int | None = None, verbose: bool = False
) -> Iterator[Figure]:
    """Every benchmark there is, or those named, at a part of its full size."""
    from tests.bench import (
        bills,
        crowd,
        deadline,
        drafts,
        first_page,
        growth,
        invoices,
        pay_post,
        payments_list,
        pushes,
        returned,
    )

    many = int(crowd.FULL_SIZE * size)
    rounds = rounds or (LARGE_ROUNDS if many > LARGE else ROUNDS)
    parts: dict[str, Callable[[], Iterator[Figure]]] = {
        "bank_files": lambda: bank_files.measure(sizes=[int(100_000 * size), int(500_000 * size)]),
        "returned": lambda: returned.measure(size=int(returned.FULL_SIZE * size)),
        "bills": lambda: bills.measure(size=int(bills.FULL_SIZE * size)),
        "invoices": lambda: invoices.measure(size=many, rounds=rounds),
        "pushes": lambda: pushes.measure(size=many, rounds=rounds),
        "drafts": lambda: drafts.measure(size=int(drafts.FULL_SIZE * size), rounds=rounds),
        "growth": lambda: growth.measure(
            sizes=(int(growth.FULL_SIZES[0] * size), int(growth.FULL_SIZES[1] * size)), rounds=rounds
        ),
        "payments_list": lambda: payments_list.measure(size=int(payments_list.FULL_SIZE * size)),
        "pay_post": lambda: pay_post.measure(
            size=int(pay_post.FULL_SIZE * size), rounds=rounds, verbose=verbose
        ),
        "first_page": first_page.measure,
        "deadline": lambda: deadline.measure(size=many),
    }
    for name in only or parts:
        yield from parts[name]()


def main() -> None:
    """Measure, print the table, and fail where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")
    django.setup()
    parser.add_argument("--size", type=float, default=1.0, help="a part of the full sizes, such as 0.1")
    parser.add_argument(
        "only", nargs="*", help="the benchmarks to run, by their modules; all if none is named"
    )
    parser.add_argument(
        "--rounds", type=int, help="of the large benchmarks, instead of 7, or of 3 at the full sizes"
    )
    parser.add_argument("--verbose", action="store_true", help="list the statements that are counted")
    figures = []
    for figure in measure_all(**vars(parser.parse_args())):
        print(f"{figure.name} {figure.what}: {figure.ratio:.2f}", file=sys.stderr, flush=True)
        figures.append(figure)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    print(draw_table(figures, commit=commit.strip() or "none"))
    sys.exit(not all(figure.holds for figure in figures))


if __name__ == "__main__":
    main()
