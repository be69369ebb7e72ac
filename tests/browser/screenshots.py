"""Pictures of every page and state, in both languages: `python -m tests.browser.screenshots [CHAPTER...]`, `.data/screenshots/`.

A portal of its own on a scratch database is started, toured and stopped; each page is taken whole at 1200 and at 390 pixels.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parents[2] / ".data" / "screenshots"
WIDTHS = (1200, 390)


def take_picture(page: "Page", name: str) -> None:
    """The page as it stands, at both widths."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=str(FOLDER / f"{name}-{width}.png"), full_page=True)
        sys.stdout.write(f"{name}-{width}.png\n")


def main(chapters: Sequence[str]) -> int:
    """Tour these chapters, or all, and picture each page."""
    from tests.browser.tour import CHAPTERS, look_also_in_spanish
    from tests.browser.touring import tour

    if not chapters:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    tour(
        chapters=chapters or CHAPTERS,
        look=lambda page, name: look_also_in_spanish(page, lambda name: take_picture(page, name))(name),
    )
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    raise SystemExit(main(sys.argv[1:]))
