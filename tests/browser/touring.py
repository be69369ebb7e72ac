"""Touring the pages outside a test: a portal of its own on a scratch database, and a browser that goes through its chapters."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.portal import Portal

WIDTH = 1200


@contextmanager
def run_scratch_portal() -> Iterator["Portal"]:
    """A portal on a database and a bank of its own, both gone afterwards."""
    from django.conf import settings

    from tests import databases
    from tests.portal import PATIENCE_SECONDS, start_portal

    name = f"touring_{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="touring-"))
    settings.SANDBOX_BANK_DIR = folder / "bank"
    databases.clone(template=databases.prepare_template(), name=name)
    with databases.another_database(name):
        portal = start_portal(name=name, folder=folder)
        try:
            yield portal
        finally:
            portal.process.send_signal(signal.SIGTERM)
            portal.process.wait(timeout=PATIENCE_SECONDS)
    databases.drop(name)
    shutil.rmtree(folder)


def tour(*, chapters: Iterable[str], look: Callable[["Page", str], None]) -> None:
    """Go through these chapters and look at each page, with its name."""
    from django.conf import settings

    from tests.browser.chromium import launch_browser
    from tests.browser.tour import CHAPTERS, Visit

    with run_scratch_portal() as portal, launch_browser() as browser:
        bank = settings.SANDBOX_BANK_DIR
        for number, name in enumerate(chapters):
            # A bank leaves one return file a day: each chapter lives its past days with a bank of its own.
            settings.SANDBOX_BANK_DIR = bank / str(number)
            page = browser.new_page(viewport={"width": WIDTH, "height": 900})
            CHAPTERS[name](Visit(page, portal, lambda name, page=page: look(page, name)))
            page.close()
