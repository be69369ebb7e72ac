"""The reading grade of every English page that members and payers read: `python -m tests.reading_grade [CHAPTER...]`.

The Flesch-Kincaid grade: the years of school that a text asks for, by its words in a sentence and its syllables in a word.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from playwright.sync_api import Page

HIGHEST_GRADE = 8.0
SHORTEST_SENTENCE = 4  # in words: what is shorter and ends without a stop is a label or a figure
STAFF = ("staff", "staff handling", "corrections", "seeing", "rights")  # chapters that no member reads
_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_STOP = re.compile(r"(?<=[.!?:])\s+")
_ABBREVIATED = re.compile(r"\b([ap])\.m\.")
_VOWELS = re.compile(r"[aeiouy]+")
_TWO_VOWELS = re.compile(r"(?<![ctgs])i[aou](?!n)|eat(?=ed)")  # said one by one


def grade(*, text: str) -> float:
    """The grade of a page's sentences; 0 where it has none. Each line is a text of its own."""
    sentences = [words for words in map(_WORD.findall, _split(text)) if len(words) >= SHORTEST_SENTENCE]
    if not sentences:
        return 0.0
    words = [word for sentence in sentences for word in sentence]
    syllables = sum(map(count_syllables, words))
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def count_syllables(word: str) -> int:
    """About how many syllables an English word has: its groups of vowels, a silent e at its end left out."""
    letters = word.lower()
    count = len(_VOWELS.findall(letters)) + len(_TWO_VOWELS.findall(letters))
    if re.search(r"[^aeiouylr]es?$|[^aeiouytd]ed$|[aeiouy][lr]es?$", letters) and count > 1:
        count -= 0 if re.search(r"(?:[sxz]|[cs]h|[cg])es$", letters) else 1
    return max(count, 1)


def _split(text: str) -> list[str]:
    lines = _ABBREVIATED.sub(r"\1m", text).splitlines()
    return [sentence for line in lines for sentence in _STOP.split(line.strip())]


def read_page(*, page: "Page") -> str:
    """What the page's main part says, a line for each of its blocks."""
    return page.locator("main").inner_text()


def find_hard_reading(*, page: "Page") -> list[str]:
    """The page, where it asks for more school than anybody should need; one line."""
    found = grade(text=read_page(page=page))
    return [f"{page.url} reads at grade {found:.1f}"] if found > HIGHEST_GRADE else []


def main(chapters: Sequence[str]) -> int:
    """Tour the pages and print the grade of each; fails where one is too high."""
    from tests.browser.tour import CHAPTERS
    from tests.browser.touring import tour

    grades: dict[str, float] = {}

    def look(page: "Page", name: str) -> None:
        grades[name] = grade(text=read_page(page=page))

    tour(chapters=chapters or [name for name in CHAPTERS if name not in STAFF], look=look)
    for name, found in sorted(grades.items(), key=lambda item: -item[1]):
        sys.stdout.write(f"{found:5.1f}  {name}\n")
    return int(max(grades.values()) > HIGHEST_GRADE)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    raise SystemExit(main(sys.argv[1:]))
