"""Spanish: a call says nothing in English."""

import re

from payments.channels.phone import authorization, speech, words

PLACES = re.compile(r"\{\w+\}|%\(\w+\)s|%s")


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
