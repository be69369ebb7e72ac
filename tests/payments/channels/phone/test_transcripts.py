"""Whole calls, word for word, as they are heard over the webhooks. `tests/files/phone_call_*.txt` are what they should be."""

from pathlib import Path

import pytest

from payments.channels.phone.speech import spell_number
from payments.models import Payment
from tests.diary import Diary, eastern
from tests.payments.channels.phone.calling import BORN, MEMBER_ID, list_bank, make_call
from tests.payments.payers import make_household

FILES = Path(__file__).parents[3] / "files"


def transcribe(entries: list[str]) -> str:
    """What is heard, a line for each thing said, and what is keyed in; confirmation numbers as "(number)"."""
    call = make_call()
    heard, lines = call.begin(), []
    for entry in [*entries, None]:
        lines += [words for _language, words in heard.lines]
        if entry is not None:
            lines.append(f"> {entry}")
            heard = call.key_in(heard, entry)
    assert heard.is_over
    text = "\n".join(lines) + "\n"
    for payment in Payment.objects.all():
        for language in ("en", "es"):
            text = text.replace(spell_number(payment.confirmation_number, language=language), "(number)")
    return text


@pytest.mark.starts(eastern(2027, 1, 20))
@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("en", ["1", MEMBER_ID, BORN, "3", "1", "2", "40", "1", *list_bank(), "1"]),
        ("es", ["2", MEMBER_ID, BORN, "3", "1", "2", "40*00", "1", *list_bank(kind="2"), "1"]),
        ("unseen", ["1", "6175550123", "#", "1", "284*17", *list_bank(), "1"]),
    ],
)
def test_a_call_is_heard_word_for_word(diary: Diary, name: str, entries: list[str]) -> None:
    make_household(products=("health", "dental"), member_id=MEMBER_ID, phone="+16175550123")
    assert transcribe(entries) == (FILES / f"phone_call_{name}.txt").read_text()
    assert Payment.objects.count() == (1 if name == "unseen" else 2)
