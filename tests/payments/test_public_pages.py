"""Pages anyone may read: errors that lead to their box, and a receipt that can be found from everywhere."""

import re
from datetime import date
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client

from billing.models import CorrectionKind, Outage
from payments.receipt_forms import FindReceiptForm
from tests import people
from tests.billing.correcting import correct
from tests.diary import eastern
from tests.payments.payers import read

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/faq/", "/help/", "/guest/"])
def test_a_receipt_can_be_found_from_every_page(path: str) -> None:
    assert 'href="/receipts/"' in Client().get(path).content.decode()


def test_after_an_outage_everyone_reads_of_it_and_of_the_later_day_while_that_lasts() -> None:
    outage = Outage.objects.create(
        began_at=eastern(2027, 1, 23, 20),
        ended_at=eastern(2027, 1, 24, 1),
        what="the bank page",
        public_words="You could not pay on January 23. You have until January 25.",
        form_key=uuid4(),
        recorded_by=people.make_staff(),
        recorded_at=eastern(2027, 1, 24, 2),
    )
    what = {"month": date(2027, 2, 1), "new_date": date(2027, 1, 25), "outage_id": outage.pk}
    for day, until, told in (
        (24, "February 23", False),
        (25, "January 25", True),
        (26, "February 23", False),
    ):
        with time_machine.travel(eastern(2027, 1, day), tick=False):
            page = read(Client().get("/"))
            assert f"Pay by {until}" in page
            assert (outage.public_words in page) == told
            assert f"Pay by {until}" in read(Client().get("/how-to-pay/"))
        if day == 24:
            correct(CorrectionKind.MONTH_DUE_DATE, today=date(2027, 1, 24), **what)


@pytest.mark.parametrize("status", [500, 503])
def test_a_fault_leads_to_the_receipt_before_anyone_pays_again(status: int) -> None:
    page = render_to_string(f"{status}.html")
    assert 'href="/receipts/"' in page[page.index("<main") : page.index("</main")]


BORN = {"date_of_birth_month": "4", "date_of_birth_day": "9", "date_of_birth_year": "1986"}


@pytest.mark.parametrize(
    ("path", "typed", "box", "words"),
    [
        (
            "/accounts/login/",
            {"login": "alice@example.org", "password": "not the password"},
            "id_login",
            "The email or the password is not right",
        ),
        (
            "/activate/",
            {"member_id": "003400000000", "zip_code": "02108", **BORN},
            "id_member_id",
            "We could not find you with these",
        ),
        (
            "/receipts/",
            {"number": "ABCDE-FGHJK", "last_four": "6789"},
            "id_number",
            "We could not find a payment with that",
        ),
    ],
)
def test_a_miss_stands_beside_a_box_and_the_summary_leads_there(
    path: str, typed: dict[str, str], box: str, words: str
) -> None:
    people.make_member()
    page = Client().post(path, typed).content.decode()
    assert re.search(rf'<a href="#{box}" data-problem>{words}', page)
    assert re.search(rf'id="{box}_error">\s*<div>{words}', page)


def test_the_three_boxes_of_a_date_point_at_its_hint_and_its_error() -> None:
    page = Client().post("/guest/", {"identifier": "1", "date_of_birth_month": "13"}).content.decode()
    described = 'aria-describedby="id_date_of_birth_helptext id_date_of_birth_error"'
    assert len(re.findall(rf"<input[^>]*{described}", page)) == 3


def test_letters_can_be_typed_as_the_last_four_of_an_account() -> None:
    page = Client().get("/receipts/").content.decode()
    box = re.search(r'<input[^>]*name="last_four"[^>]*>', page)
    assert box
    assert 'inputmode="text"' in box[0]
    assert 'autocapitalize="characters"' in box[0]
    form = FindReceiptForm({"number": "abcde-fghjk", "last_four": "12 ab"})
    assert form.is_valid()
    assert form.cleaned_data["last_four"] == "12AB"


def test_a_page_that_may_not_be_opened_says_where_to_go_instead() -> None:
    member = people.make_user(member=people.make_member())
    for user, words in ((member, "Go to your account"), (people.make_staff(), "Go to the staff pages")):
        assert words in render_to_string("403.html", {"user": user, "exchange": settings.EXCHANGE})
