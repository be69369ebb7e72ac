"""B8: bills as PDF, read from the database and drawn by the part of a print batch, beside 100 a second and core."""

import os
import statistics
from collections.abc import Iterator
from datetime import date

from django.db import connection

from billing.bill_pdf import draw_bills
from billing.invoices import issue_missing
from billing.models import Invoice
from billing.print_batches import LETTERS_A_PART
from tests import databases
from tests.bench.exchange import ENROLLED, enroll, noon
from tests.bench.measuring import ROUNDS, Figure, time_once

FULL_SIZE = 2_000
DAY = date(2027, 1, 6)
SCRATCH = "bench_bills"
SECONDS_A_BILL = 1 / 100


def measure(*, size: int) -> Iterator[Figure]:
    """Seconds of one core a bill, as a ratio of a hundredth of a second; typst itself uses every core there is."""
    template = databases.prepare_template()
    databases.clone(template=template, name=SCRATCH)
    with databases.another_database(SCRATCH):
        enroll(count=size)
        issue_missing(today=ENROLLED, at=noon(ENROLLED))
        invoice_ids = list(Invoice.objects.order_by("pk").values_list("pk", flat=True))
        per_bill = [time_once(lambda: draw_all(invoice_ids), clock=read_cpu) / size for _ in range(ROUNDS)]
        single = statistics.median(time_once(lambda: draw_all(invoice_ids[:1])) for _ in range(ROUNDS))
    connection.close()
    databases.drop(SCRATCH)
    ratios = [seconds / SECONDS_A_BILL for seconds in per_bill]
    middle = statistics.median(ratios)
    detail = f"{100 / middle:.0f} a second and core; one bill alone {single * 1000:.0f} ms"
    spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
    what = "bills as PDF, a part of a batch at once / 100 a second and core"
    yield Figure("B8", what, f"{size:,}", middle, spread, 1.0, detail)


def draw_all(invoice_ids: list[int]) -> None:
    """As a worker draws a batch."""
    for start in range(0, len(invoice_ids), LETTERS_A_PART):
        part = invoice_ids[start : start + LETTERS_A_PART]
        document = draw_bills(invoice_ids=part, name="the benchmark", today=DAY, at=noon(DAY))
        assert b"pdfuaid" in document


def read_cpu() -> float:
    """Seconds that this process has computed, on however many cores."""
    times = os.times()
    return times.user + times.system
