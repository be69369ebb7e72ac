"""The Spanish catalog: it has every marked phrase of the code, each translated with the same facts, and it is compiled."""

import ast
import gettext
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation.template import templatize

from tests.english_words import FAMILIAR

ROOT = settings.BASE_DIR
CATALOG = ROOT / "connector_pay/locale/es/LC_MESSAGES/django.po"
APPS = ("connector_pay", "members", "billing", "payments")
# What each way of marking takes for its phrase: the place of its context, of the phrase, and of its plural.
MARKS = {
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "_": (None, 0, None),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
}
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|%%|\{\w+\}")


class Phrase(NamedTuple):
    """A phrase as the code has it: in which context, and with which plural."""

    context: str
    english: str
    plural: str = ""


class Entry(NamedTuple):
    """An entry of the catalog."""

    phrase: Phrase
    spanish: tuple[str, ...]
    flags: str


@cache
def read_catalog() -> list[Entry]:
    """Every entry of the source of the catalog, without its head."""
    entries = [_read_entry(block) for block in CATALOG.read_text().split("\n\n")]
    return [entry for entry in entries if entry.phrase.english]


def _read_entry(block: str) -> Entry:
    texts: dict[str, str] = {}
    flags = name = ""
    for line in block.splitlines():
        flags = line if line.startswith("#,") else flags
        if not line or line.startswith("#"):
            continue
        if not line.startswith('"'):
            name, line = line.split(" ", 1)
        texts[name] = texts.get(name, "") + ast.literal_eval(line)
    phrase = Phrase(texts.get("msgctxt", ""), texts.get("msgid", ""), texts.get("msgid_plural", ""))
    return Entry(phrase, tuple(text for key, text in texts.items() if key.startswith("msgstr")), flags)


def find_marked() -> Iterator[tuple[Phrase, Path]]:
    """Every phrase that is marked for translation, in Python and in templates."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield from ((phrase, path) for phrase in _find_in_python(path.read_text()))
    for path in sorted((ROOT / "templates").rglob("*.*")):
        if path.suffix in (".html", ".txt"):
            yield from ((phrase, path) for phrase in _find_in_template(path.read_text()))


def _find_in_python(text: str) -> Iterator[Phrase]:
    if "gettext" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name in MARKS:
            context, english, plural = (
                "" if place is None else _read_text(node.args[place]) for place in MARKS[name]
            )
            if english:
                yield Phrase(context, english, plural)


def _find_in_template(text: str) -> Iterator[Phrase]:
    """Django writes a template's phrases as calls of Python, among the letters of what else stands there."""
    calls = re.compile(
        r"\b(_|gettext|pgettext|ngettext)\(((?:[^()\"']|u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\")*)\)"
    )
    for call in calls.finditer(templatize(text)):
        yield from _find_in_python(f"gettext, {call[1]}({call[2]})")


def _read_text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_marked_phrase_is_in_the_catalog_and_nothing_else_is() -> None:
    known = {entry.phrase for entry in read_catalog()}
    marked = dict(find_marked())
    assert len(marked) > 600
    missing = {
        phrase: path.relative_to(ROOT).as_posix() for phrase, path in marked.items() if phrase not in known
    }
    assert not missing
    assert not known - set(marked)


def test_every_phrase_has_its_spanish_with_the_same_facts_and_says_usted() -> None:
    for entry in read_catalog():
        assert "fuzzy" not in entry.flags, entry
        assert all(entry.spanish), entry
        first, *more = entry.spanish
        assert sorted(PLACES.findall(first)) == sorted(PLACES.findall(entry.phrase.english)), entry
        for text in more:
            assert sorted(PLACES.findall(text)) == sorted(PLACES.findall(entry.phrase.plural)), entry
        assert bool(entry.phrase.plural) == bool(more), entry
        for text in entry.spanish:
            assert not FAMILIAR.search(text), entry
            assert text.strip() == text or entry.phrase.english.strip() != entry.phrase.english, entry


def test_the_compiled_catalog_is_that_of_its_source() -> None:
    with CATALOG.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for (context, english, plural), spanish, _flags in read_catalog():
        if plural:
            read = tuple(compiled.ngettext(english, plural, number) for number in (1, 2))
        elif context:
            read = (compiled.pgettext(context, english),)
        else:
            read = (compiled.gettext(english),)
        assert read == spanish, english
