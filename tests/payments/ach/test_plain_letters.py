"""Any text in the letters that every bank reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.ach.plain_letters import write_plainly


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("José Núñez", "JOSE NUNEZ"),
        ("Strauß", "STRAUSS"),
        ("Łukasz Ørsted", "LUKASZ ORSTED"),
        ("O’Brien", "O'BRIEN"),
        ("a\tb\nc", "A B C"),
        ("中文", "??"),
        ("", ""),
    ],
)
def test_accents_go_and_what_has_no_spelling_becomes_a_question_mark(text: str, plain: str) -> None:
    assert write_plainly(text=text) == plain


@given(st.text())
def test_any_text_becomes_upper_case_ascii(text: str) -> None:
    plain = write_plainly(text=text)
    assert all(" " <= character <= "~" for character in plain)
    assert plain == plain.upper()
