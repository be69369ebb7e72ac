"""A call without any carrier: in the terminal against a running portal, and on a page without script."""

import io
import re

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from payments.channels.phone.speech import spell_number
from payments.management.commands import call as command
from payments.models import Payment, PhoneCall
from tests.diary import Diary, eastern
from tests.paying import Shown, get
from tests.payments.channels.phone.calling import ACCOUNT, BORN, MEMBER_ID, ROUTING, list_bank
from tests.payments.payers import make_household
from tests.portal import Portal


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch):
    """Somebody at the terminal, who types these lines and then closes it."""

    def prepare(*lines: str) -> None:
        typed = list(lines)

        def read(prompt: str) -> str:
            if not typed:
                raise EOFError
            return typed.pop(0)

        monkeypatch.setattr("builtins.input", read)

    return prepare


@pytest.mark.parametrize(
    ("language", "words"), [("en", "confirmation number"), ("es", "número de confirmación")]
)
def test_a_call_in_the_terminal_pays_at_a_running_portal(
    portal: Portal, type_in, language: str, words: str
) -> None:
    member = portal.add_household().member
    born = f"{member.date_of_birth:%m%d%Y}"
    type_in(member.member_id, born, "1", "1", *list_bank(), "1")
    heard = io.StringIO()
    call_command("call", url=portal.url, language=language, stdout=heard)
    payment = Payment.objects.get(account__enrollment__member=member)
    assert (payment.channel, payment.authorization.sec_code) == ("phone", "TEL")
    number = spell_number(payment.confirmation_number, language=language)
    assert len(re.findall(rf"{words} (?:is|es): {re.escape(number)}\.", heard.getvalue())) == 2


def test_a_call_in_the_terminal_can_be_hung_up(portal: Portal, type_in, monkeypatch) -> None:
    type_in("1", "##", "", "bye")
    heard = io.StringIO()
    call_command("call", url=portal.url, stdout=heard)
    assert heard.getvalue().count("Enter the 12-digit Member ID") == 3
    assert PhoneCall.objects.latest("pk").ended_at is not None
    monkeypatch.setattr(command, "SILENCE", command.SILENCE * 0)
    type_in("1", "wait")
    call_command("call", url=portal.url, stdout=heard)
    assert heard.getvalue().count("Enter the 12-digit Member ID") == 5
    assert PhoneCall.objects.latest("pk").ended_at is not None


def test_a_portal_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match=r"http://127\.0\.0\.1:9 took no call"):
        call_command("call", url="http://127.0.0.1:9")
    with pytest.raises(CommandError, match="http or https"):
        call_command("call", url="file:///etc/passwd")


@pytest.mark.starts(eastern(2027, 1, 20))
def test_a_call_on_the_page_pays_without_script(diary: Diary) -> None:
    make_household(member_id=MEMBER_ID)
    page = get(Client(), "/phone/try/").submit()
    assert "Welcome to the payment line" in page.text
    assert '<p lang="es">Para español, marque 2.</p>' in page.html
    for keys in ("1", MEMBER_ID, "", "0", BORN, "1", "1", "1", "1", ROUTING, "4820 0123-4567", ACCOUNT, "1"):
        page = press(page, keys)
    payment = Payment.objects.get()
    number = spell_number(payment.confirmation_number, language="en")
    assert page.text.count(f"confirmation number is: {number}.") == 2
    assert "Call again" in page.text
    page = page.submit()
    assert "For English, press 1." in page.text
    assert "For English" not in page.submit(hang_up="").text
    assert PhoneCall.objects.latest("pk").ended_at is not None
    assert "no-store" in page.client.get("/phone/try/")["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.starts(eastern(2027, 1, 20))
def test_a_call_on_the_page_goes_on_after_the_page_came_back_in_the_other_language() -> None:
    make_household(member_id=MEMBER_ID)
    page = press(get(Client(), "/phone/try/").submit(), "1")
    asked = "Enter the 12-digit Member ID"
    assert asked in page.text

    page = page.submit(keys=ACCOUNT, switch_language="es")
    assert "Marcar teclas" in page.text
    assert asked in page.text
    assert ACCOUNT not in page.html

    assert "date of birth" in press(page, MEMBER_ID).text


def press(page: Shown, keys: str) -> Shown:
    """Key in, and see that nothing keyed in is shown."""
    after = page.submit(keys=keys)
    assert after.status == 200
    assert ACCOUNT not in after.html
    return after
