"""The reading grade: what it finds of texts whose grade is known, and that it can be too high."""

import pytest

from tests.reading_grade import HIGHEST_GRADE, count_syllables, grade

KNOWN = "premium 3, coverage 3, payment 2, received 2, stopped 1, pages 2, table 2, needed 2, dates 1, period 3, station 2"


@pytest.mark.parametrize("known", KNOWN.split(", "))
def test_syllables_are_counted_as_they_are_said(known: str) -> None:
    word, count = known.split()
    assert count_syllables(word) == int(count)


def test_a_known_sentence_has_its_grade() -> None:
    hard = "The Australian platypus is seemingly a hybrid of a mammal and reptilian creature."
    assert grade(text=hard) == pytest.approx(11.3, abs=1)  # as the formula's inventors have it
    assert grade(text=hard) > HIGHEST_GRADE
    assert grade(text="Your bill is due on the 23rd. Pay it on time.") < 3


def test_labels_figures_and_pages_without_a_sentence_have_none() -> None:
    assert grade(text="Confirmation number\nMRSMA-PFASB\n$284.17\nAuthorization") == 0


def test_a_time_of_day_ends_no_sentence() -> None:
    text = "We send it to your bank at 5 p.m. Eastern on a banking day."
    assert grade(text=text) == grade(text=text.replace("p.m.", "pm"))
