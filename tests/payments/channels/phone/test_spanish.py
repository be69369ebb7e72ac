"""Spanish: every sentence of the catalog is compiled, and a call says none in English."""

import gettext
import re
from pathlib import Path

from payments.channels.phone import authorization, speech, words

CATALOG = Path(words.__file__).parents[2] / "locale/es/LC_MESSAGES"
ENTRY = re.compile(
    r'(?:^msgctxt "(?P<context>.*)"\n)?^msgid "(?P<english>.+)"\n^msgstr "(?P<spanish>.*)"$', re.MULTILINE
)
PLACES = re.compile(r"\{\w+\}|%\(\w+\)s|%s")


def unquote(text: str) -> str:
    return text.replace(r"\"", '"').replace("\\\\", "\\")


def test_the_compiled_catalog_is_that_of_its_source() -> None:
    with (CATALOG / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    entries = list(ENTRY.finditer((CATALOG / "django.po").read_text()))
    assert len(entries) > 40
    for entry in entries:
        english, spanish = unquote(entry["english"]), unquote(entry["spanish"])
        read = compiled.pgettext(entry["context"], english) if entry["context"] else compiled.gettext(english)
        assert read == spanish
        assert spanish
        assert sorted(PLACES.findall(spanish)) == sorted(PLACES.findall(english))


def test_everything_that_is_said_has_both_languages_and_the_same_facts() -> None:
    texts = [*words.WORDS.values(), authorization.TEXTS]
    for said in texts:
        assert set(said) == set(words.LANGUAGES)
        english, spanish = (set(PLACES.findall(said[language])) for language in ("en", "es"))
        if said is words.WORDS["language"] or said in (words.WORDS["help_line"], authorization.TEXTS):
            assert spanish <= english
        else:
            assert spanish == english


def test_every_letter_of_a_confirmation_number_has_a_word_that_begins_with_it() -> None:
    for letters in speech.LETTERS.values():
        assert "".join(letters) == "ABCDEFGHJKMNPQRSTVWXYZ"
        for letter, word in letters.items():
            assert word.startswith(letter)


def test_a_confirmation_number_is_spelled() -> None:
    assert speech.spell_number("2BX", language="en") == "2, B as in Boston, X as in X-ray"
    assert speech.spell_number("2BX", language="es") == "2, B de Boston, X de Xilófono"
