"""The list of payments begins each page where the last one ended: every payment once, in order, and nothing counted."""

import re
from datetime import timedelta
from html import unescape
from itertools import chain
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connector_pay.lib.keyset_list import NEWER, OLDER
from payments.models import Payment
from tests import people
from tests.payments.paying import TUESDAY, make_account, noon, pay
from tests.staff.seeing import sign_in
from tests.standing import create_all_at

LIST = reverse("admin:payments_payment_changelist")


@pytest.fixture
def many(db) -> list[Payment]:
    """120 payments; thirty at each moment, so that pages end in the middle of one."""
    first = pay(make_account())
    facts = {
        name: getattr(first, name)
        for name in ("account", "bank_account", "authorization", "received_date", "channel", "amount_cents")
    }
    for status, numbers in (("posted", range(1, 119, 2)), ("returned", range(0, 119, 2))):
        rows = [
            Payment(
                confirmation_number=f"MANY{number:06d}",
                form_key=uuid4(),
                recorded_at=noon(TUESDAY) + timedelta(minutes=number // 30),
                coverage_sentence="",
                **facts,
            )
            for number in numbers
        ]
        create_all_at(rows, status=status)
    return list(Payment.objects.order_by("-recorded_at", "-pk"))


def read_page(client, address: str):
    answer = client.get(address)
    assert answer.status_code == 200
    links = {
        words: unescape(found)
        for found, words in re.findall(
            r'<a href="(\?[^"]*)">(Newest|Newer|Older)</a>', answer.content.decode()
        )
    }
    return [row.pk for row in answer.context["cl"].result_list], links, answer


def walk(client, address: str, link: str = "Older") -> list[list[int]]:
    pages = []
    while True:
        rows, links, _ = read_page(client, address)
        pages.append(rows)
        if link not in links:
            return pages
        address = LIST + links[link]


def test_every_payment_is_on_one_page_and_the_way_back_is_the_same(many) -> None:
    client = sign_in(people.make_staff())
    pages = walk(client, LIST)
    assert [len(page) for page in pages] == [50, 50, 20]
    assert list(chain(*pages)) == [payment.pk for payment in many]
    place = f"{many[-1].recorded_at.isoformat()},{many[-1].pk}".replace("+", "%2B")
    back = walk(client, f"{LIST}?{NEWER}={place}", "Newer")
    assert list(chain(*reversed(back))) == [payment.pk for payment in many[:-1]]
    _, links, _ = read_page(client, LIST)
    assert set(links) == {"Older"}
    rows, links, _ = read_page(client, LIST + links["Older"])
    assert set(links) == {"Newest", "Newer", "Older"}
    assert read_page(client, LIST + links["Newer"])[0] == pages[0]
    assert read_page(client, LIST + links["Newest"])[0] == pages[0]
    assert rows == pages[1]


def test_a_filter_is_kept_from_page_to_page_and_a_new_one_begins_at_the_newest(many) -> None:
    client = sign_in(people.make_staff())
    pages = walk(client, f"{LIST}?status__exact=posted")
    assert list(chain(*pages)) == [payment.pk for payment in many if payment.status == "posted"]
    _, links, _ = read_page(client, LIST)
    _, _, deep = read_page(client, LIST + links["Older"])
    other = re.findall(r'href="(\?status__exact=returned[^"]*)"', deep.content.decode())
    assert other
    assert all(OLDER not in link for link in other)
    assert f'name="{OLDER}"' not in deep.content.decode()
    none, links, page = read_page(client, f"{LIST}?status__exact=sending")
    assert (none, links) == ([], {})
    assert "No payments" in page.content.decode()


@pytest.mark.parametrize(
    "place",
    [
        "",
        "x",
        "2027-01-12",
        "2027-01-12,1",
        ",5",
        "2027-01-12T12:00:00+00:00,",
        "2027,9999999999999999999999",
    ],
)
def test_a_place_that_names_none_is_the_newest_page(db, place: str) -> None:
    payment = pay(make_account())
    client = sign_in(people.make_staff())
    answer = client.get(LIST, {OLDER: place})
    assert answer.status_code == 200
    assert [row.pk for row in answer.context["cl"].result_list] in ([payment.pk], [])


def test_a_page_asks_for_its_rows_in_one_statement_and_counts_nothing(many) -> None:
    client = sign_in(people.make_staff())
    with CaptureQueriesContext(connection) as asked:
        client.get(LIST, {"status__exact": "posted", "channel__exact": "guest"})
    statements = [query["sql"] for query in asked.captured_queries]
    assert not [sql for sql in statements if "COUNT(" in sql.upper() or " OFFSET " in sql.upper()]
    assert len([sql for sql in statements if 'FROM "payments_payment"' in sql]) == 1
    assert len(statements) <= 8
