"""The look: copies from the installed U.S. Web Design System only what its style sheet names, and the letters of documents.

`python -m connector_pay.design_system` fills `.data/design_system/uswds/` after `npm ci --ignore-scripts`.
A copy made from the same installed files is left as it is, so running it again takes milliseconds.
"""

import re
import shutil
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
INSTALLED = BASE_DIR / "node_modules" / "@uswds" / "uswds" / "dist"
FOLDER = BASE_DIR / ".data" / "design_system"  # part of what is installed, so wherever DATA_DIR may be
COPY = FOLDER / "uswds"
STYLE_SHEET = Path("css/uswds.min.css")
# Bills and letters are set in the letters of the pages; the style sheet names them in a form that only browsers read.
DOCUMENT_FONTS = Path("fonts/source-sans-pro")
DOCUMENT_FONT_FILES = tuple(
    DOCUMENT_FONTS / f"sourcesanspro-{weight}-webfont.ttf" for weight in ("regular", "bold")
)
NAMED_FILE = re.compile(r"""url\(\s*['"]?(?P<url>[^'")]+)['"]?\s*\)|sourceMappingURL=(?P<map>\S+)""")


class UnableToFindDesignSystem(Exception):
    """The design system's package is not installed beside the portal."""


def list_named_files(*, installed: Path) -> list[Path]:
    """The style sheet, every font, image and source map it names, and the fonts of documents, below `installed`, sorted.

    Raises UnableToFindDesignSystem when the package, or one of these files, is missing.
    """
    sheet = installed / STYLE_SHEET
    if not sheet.is_file():
        raise UnableToFindDesignSystem(
            f"{sheet} is missing: run `npm ci --ignore-scripts` in {BASE_DIR} first."
        )
    named = {STYLE_SHEET, *DOCUMENT_FONT_FILES}
    for match in NAMED_FILE.finditer(sheet.read_text(encoding="utf-8")):
        reference = (match["url"] or match["map"]).split("#")[0].split("?")[0]
        if reference and not reference.startswith("data:"):
            named.add((sheet.parent / reference).resolve().relative_to(installed.resolve()))
    for path in named:
        if not (installed / path).is_file():
            raise UnableToFindDesignSystem(f"The installed package lacks {path}, which we use.")
    return sorted(named)


def copy_design_system(*, installed: Path = INSTALLED, copy: Path = COPY) -> int:
    """Make `copy` hold exactly the named files of `installed`; answers how many files had to be written."""
    named = list_named_files(installed=installed)
    _remove_others(copy=copy, wanted={copy / path for path in named})
    written = 0
    for path in named:
        if not _is_same(source=installed / path, target=copy / path):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(installed / path, copy / path)
            written += 1
    return written


def _is_same(*, source: Path, target: Path) -> bool:
    """Judged as rsync does, by size and time: the copy keeps the time of its source."""
    if not target.is_file():
        return False
    ours, theirs = target.stat(), source.stat()
    return ours.st_size == theirs.st_size and ours.st_mtime_ns == theirs.st_mtime_ns


def _remove_others(*, copy: Path, wanted: set[Path]) -> None:
    for path in copy.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()


def main() -> int:
    """Copy, and say what was done in one line."""
    try:
        written = copy_design_system()
    except UnableToFindDesignSystem as problem:
        sys.stderr.write(f"design system: {problem}\n")
        return 1
    sys.stdout.write(f"design system: {written} files copied\n" if written else "design system: up to date\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
