"""B10: the first visit of a browser that knows nothing of us: how many requests, and how many bytes over the wire."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import databases
from tests.bench.measuring import Figure
from tests.browser.chromium import launch_browser
from tests.browser.first_visit import MOST_BYTES, MOST_REQUESTS, visit
from tests.portal import start_portal

SCRATCH = "bench_first_page"


def measure() -> Iterator[Figure]:
    """The front door as gunicorn serves it, its files collected and compressed."""
    with _run_collected_portal() as url, launch_browser() as browser:
        loaded = visit(browser=browser, url=url)
    sent = sum(item.sent for item in loaded)
    detail = ", ".join(f"{item.name} {item.sent / 1000:.1f}" for item in loaded)
    yield Figure("B10", "first page, kB over the wire", "-", sent / 1000, "-", MOST_BYTES / 1000, detail)
    yield Figure("B10", "first page, requests", "-", len(loaded), "-", MOST_REQUESTS)


@contextmanager
def _run_collected_portal() -> Iterator[str]:
    """A portal on a scratch database; its address."""
    folder = Path(tempfile.mkdtemp(prefix="connector-pay-bench-"))
    before = os.environ["DJANGO_SETTINGS_MODULE"]
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.bench.collected", "STATIC_ROOT": str(folder / "static")}
    databases.clone(template=databases.prepare_template(), name=SCRATCH)
    try:
        collect = [sys.executable, "-m", "django", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, env=databases.environment_of(SCRATCH), cwd=databases.ROOT, check=True)
        portal = start_portal(name=SCRATCH, folder=folder)
        yield portal.url
        portal.process.send_signal(signal.SIGTERM)
        portal.process.wait(timeout=30)
    finally:
        os.environ["DJANGO_SETTINGS_MODULE"] = before
        databases.drop(SCRATCH)
        shutil.rmtree(folder)
