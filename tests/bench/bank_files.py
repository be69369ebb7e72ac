"""B3 and B3b: writing and reading a bank file beside rendering, and slicing and hashing, the same lines."""

import hashlib
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from payments.ach.entries import BatchHeader, Entry, FileHeader
from payments.ach.nacha import write_file
from payments.ach.reading import read_file
from payments.ach.routing_numbers import compute_check_digit
from tests.bench.measuring import Figure, compare

ODFI = "01100001"
ROUTINGS = [
    digits + compute_check_digit(digits=digits) for digits in ("07640125", "01100001", "02100002", "32117118")
]
HEADER = FileHeader(
    immediate_destination="011000015",
    immediate_origin="1043210987",
    created_at=datetime(2027, 1, 22, 17),
    modifier="A",
    destination_name="COMMONWEALTH BANK",
    origin_name="HEALTH CONNECTOR",
)
BATCH = BatchHeader(
    service_class="225",
    company_name="HEALTH CONNECTOR",
    company_id="1043210987",
    sec_code="WEB",
    entry_description="PREMIUM",
    effective_date=date(2027, 1, 25),
    odfi_id=ODFI,
    batch_number=1,
)
MEMORY_SIZES = (10_000, 100_000, 500_000)


def make_entries(count: int) -> Iterator[Entry]:
    """Debits of as many members."""
    for number in range(1, count + 1):
        yield Entry(
            transaction_code="27" if number % 3 else "37",
            routing_number=ROUTINGS[number % len(ROUTINGS)],
            account_number=f"48200{number:07d}",
            amount_cents=20_000 + number % 50_000,
            individual_id=f"PAY{number:07d}",
            individual_name="Alice Alvarez",
            trace_number=f"{ODFI}{number:07d}",
            discretionary="S",
        )


def render_plainly(entries: Iterable[Entry]) -> Iterator[str]:
    """The same records by one f-string each, with no check and no total: the least that writing can cost."""
    for entry in entries:
        yield (
            f"6{entry.transaction_code}{entry.routing_number}{entry.account_number:<17}{entry.amount_cents:010d}"
            f"{entry.individual_id:<15}{entry.individual_name.upper():<22.22}{entry.discretionary:<2}0{entry.trace_number}"
        )


def slice_and_hash(lines: Iterable[str]) -> tuple[int, int, str]:
    """The same lines sliced into the fields of an entry, its amounts and bank ids added up, all of it hashed."""
    total = banks = 0
    digest = hashlib.sha256()
    for line in lines:
        if line[0] == "6":
            _fields = (line[1:3], line[12:29], line[39:54], line[54:76], line[76:78], line[78], line[79:94])
            banks += int(line[3:11])
            total += int(line[29:39])
        digest.update(line.encode())
    return total, banks, digest.hexdigest()


def consume(lines: Iterable[object]) -> None:
    """Take every line and keep none."""
    deque(lines, maxlen=0)


def measure(*, sizes: Iterable[int]) -> Iterator[Figure]:
    """Both benchmarks at each size, then the memory of writing and reading as the file grows."""
    for size in sizes:
        entries = list(make_entries(size))
        lines = list(write_file(header=HEADER, batches=[(BATCH, entries)]))
        assert list(render_plainly(entries)) == [line for line in lines if line[0] == "6"]
        ratio, spread, seconds = compare(
            ours=lambda entries=entries: consume(write_file(header=HEADER, batches=[(BATCH, entries)])),
            yardstick=lambda entries=entries: consume(render_plainly(entries)),
            clock=time.process_time,
        )
        detail = f"{seconds / size * 1e6:.2f} µs an entry"
        yield Figure("B3", "bank file written / plain f-strings", f"{size:,}", ratio, spread, 1.5, detail)
        assert read_file(source=iter(lines), keep=False).faults == []
        ratio, spread, seconds = compare(
            ours=lambda lines=lines: read_file(source=iter(lines), keep=False),
            yardstick=lambda lines=lines: slice_and_hash(lines),
            clock=time.process_time,
        )
        detail = f"{seconds / size * 1e6:.2f} µs an entry"
        yield Figure(
            "B3b", "bank file read and validated / sliced and hashed", f"{size:,}", ratio, spread, 2, detail
        )
    yield measure_memory()


def measure_memory() -> Figure:
    """Peak memory of a process that writes and reads a file, of the largest size to the smallest."""
    peaks = [_read_peak(size) for size in MEMORY_SIZES]
    sizes = " to ".join(f"{size:,}" for size in (MEMORY_SIZES[0], MEMORY_SIZES[-1]))
    detail = ", ".join(f"{peak / 1024:.0f} MB" for peak in peaks)
    return Figure("B3", "peak memory as entries grow", sizes, peaks[-1] / peaks[0], "-", 1.1, detail)


def _read_peak(size: int) -> int:
    command = [sys.executable, "-m", "tests.bench.bank_files", str(size)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Write and read one file of the given size in a stream, and print the peak memory in kB."""
    import resource

    size = int(sys.argv[1])
    lines = write_file(header=HEADER, batches=[(BATCH, make_entries(size))])
    assert read_file(source=lines, keep=False).faults == []
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
