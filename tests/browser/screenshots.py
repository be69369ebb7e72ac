"""Pictures of every page and state, in both languages: `python -m tests.browser.screenshots [CHAPTER...]`, `.data/screenshots/`.

A portal of its own on a scratch database is started, toured and stopped; each page is taken whole at 1200 and at 390 pixels.
"""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.portal import Portal

FOLDER = Path(__file__).resolve().parents[2] / ".data" / "screenshots"
WIDTHS = (1200, 390)


@contextmanager
def run_scratch_portal() -> Iterator["Portal"]:
    """A portal on a database and a bank of its own, both gone afterwards."""
    from django.conf import settings

    from tests import databases
    from tests.portal import PATIENCE_SECONDS, start_portal

    name = f"screenshots_{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="screenshots-"))
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


def take_picture(*, page: "Page", name: str) -> None:
    """The page as it stands, at both widths."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=str(FOLDER / f"{name}-{width}.png"), full_page=True)
        sys.stdout.write(f"{name}-{width}.png\n")


def main(chapters: Sequence[str]) -> int:
    """Tour these chapters, or all, and picture each page."""
    from tests.browser.chromium import launch_browser
    from tests.browser.tour import CHAPTERS, Visit, look_also_in_spanish

    if not chapters:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with run_scratch_portal() as portal, launch_browser() as browser:
        for name in chapters or CHAPTERS:
            page = browser.new_page(viewport={"width": WIDTHS[0], "height": 900})
            look = look_also_in_spanish(page, lambda name, page=page: take_picture(page=page, name=name))
            CHAPTERS[name](Visit(page, portal, look))
            page.close()
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    raise SystemExit(main(sys.argv[1:]))
