"""Documents as accessible PDF: a typst template and the facts that go into it, which are text and never markup."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import structlog
import typst
from django.conf import settings

log = structlog.get_logger(__name__)
ACCESSIBLE = "ua-1"
TEMPLATES = Path("templates") / "documents"
# typst keeps what it has set until it has set so many other documents: most of a megabyte for each page of a long one.
KEPT_FOR = 11
LONG_BYTES = 500_000
_lock = Lock()


class UnableToDraw(Exception):
    """The template does not fit the facts; the text is typst's own."""


def draw_pdf(*, template: str, facts: Mapping[str, Any], at: datetime) -> bytes:
    """The document `templates/documents/TEMPLATE.typ` as PDF/UA-1, the same bytes for the same facts and moment.

    The facts travel as JSON, so that no name or text can act as markup. Where a name is written in letters that no font here
    has, PDF/UA refuses it: the document is then drawn without that promise, and this is logged. Raises UnableToDraw.
    """
    options: dict[str, Any] = {
        "sys_inputs": {"facts": json.dumps(facts, ensure_ascii=False)},
        "timestamp": at.replace(microsecond=0),
    }
    try:
        try:
            return _compile(template, pdf_standards=ACCESSIBLE, **options)
        except typst.TypstError:
            document = _compile(template, **options)
            log.warning("document drawn without the promise of PDF/UA", template=template)
            return document
    except typst.TypstError as error:
        raise UnableToDraw(f"{template}: {error.message}") from error


def _compile(template: str, **options: Any) -> bytes:
    # One drawing at a time: a compiler is no two threads' at once.
    with _lock:
        document = _open_compiler(template).compile(format="pdf", **options)
        if isinstance(document, bytes) and len(document) > LONG_BYTES:
            for _ in range(KEPT_FOR):
                _open_compiler("blank").compile(format="svg")
    if not isinstance(document, bytes):
        raise UnableToDraw(f"{template}: typst made no document.")
    return document


@cache
def _open_compiler(template: str) -> typst.Compiler:
    """Opened once for each template: reading the fonts takes longer than drawing a page."""
    return typst.Compiler(
        settings.BASE_DIR / TEMPLATES / f"{template}.typ",
        font_paths=[settings.DOCUMENT_FONTS],
        ignore_system_fonts=True,
    )
