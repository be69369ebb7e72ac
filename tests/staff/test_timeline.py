"""Seeing it all: a member's page, an account's timeline whatever its length, and every figure down to the ledger and the bank."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.balances import read_standing
from billing.figures_explained import FIGURES, list_lines, sum_figures
from members.models import Notice
from payments.models import FileEntry, ReturnLine
from payments.staff.events import KIND_WORDS, SOURCES, list_events, read_cursor
from tests import people
from tests.diary import eastern
from tests.payments.payers import read
from tests.payments.paying import PREMIUM, make_account
from tests.staff.seeing import LAST, NO_MONEY, live_a_story, make_clerk, sign_in

MOST_STATEMENTS = 60


@pytest.fixture
def home(db: None):
    with time_machine.travel(eastern(2027, 1, 26), tick=False):
        yield live_a_story()


def see(client, page: str, *args, **asked) -> str:
    answer = client.get(reverse(f"admin:{page}", args=args), asked)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return answer


def test_from_the_member_to_the_line_of_the_bank_file_and_back(home) -> None:
    clerk = sign_in(make_clerk())
    page = see(clerk, "member_overview", home.account.enrollment.member_id)
    assert "0034 5678 9011" in read(page)
    assert "Credit" in read(page)
    assert "$30.00" in read(page)
    timeline = reverse("admin:account_timeline", args=[home.account.pk])
    assert timeline in page.content.decode()
    page = see(clerk, "account_timeline", home.account.pk)
    words = read(page)
    for told in (
        "First bill",
        "Payment " + home.returned.confirmation_number[:5],
        "R01 from the bank: Insufficient funds",
        "Refund 1 of $20.00 asked for".replace("Refund 1", f"Refund {home.refund.pk}"),
        home.refund.asked_by.get_username(),
        "Email: Your payment did not go through",
        "Coverage: waiting to active",
        "Price from February 2027: $284.17 a month",
    ):
        assert told in words, told
    assert re.findall(r'<h2 id="month-\d+">(.*?)</h2>', page.content.decode()) == ["January 2027"]
    entry = FileEntry.objects.get(payment=home.returned)
    line = reverse("admin:payments_fileentry_line", args=[entry.pk])
    assert line in page.content.decode()
    shown = see(clerk, "payments_fileentry_line", entry.pk)
    assert NO_MONEY not in shown.content.decode()
    assert "******0001" in shown.content.decode()
    assert entry.trace in shown.content.decode()
    assert reverse("admin:payments_payment_change", args=[home.returned.pk]) in shown.content.decode()
    came = ReturnLine.objects.get()
    shown = see(clerk, "payments_returnline_raw", came.pk)
    assert NO_MONEY not in shown.content.decode()
    assert "R01" in shown.content.decode()
    payment = see(clerk, "payments_payment_change", home.returned.pk)
    assert line in payment.content.decode()
    file = see(clerk, "payments_fileentry_change", entry.pk)
    assert line in file.content.decode()

    check_figures(home)
    refuse_members(home)


def check_figures(home) -> None:
    """Every figure is the sum of its movements, and together they are the balance."""
    standing = read_standing(account_id=home.account.pk, today=LAST)
    sums = sum_figures(account_id=home.account.pk)
    for key in FIGURES:
        lines = list_lines(account_id=home.account.pk, key=key)
        assert sum(line.cents for line in lines) == sums[key]
        assert lines[-1].running_cents == sums[key]
    assert sums["owed"] == standing.due_cents - standing.credit_cents + standing.owed_back_cents == -30_00
    assert sums["owed"] == sums["billed"] - sums["paid"] + sums["refunded"]
    assert (sums["billed"], sums["paid"], sums["refunded"], sums["in_transit"]) == (
        PREMIUM,
        PREMIUM + 50_00,
        20_00,
        0,
    )
    clerk = sign_in(make_clerk())
    page = see(clerk, "account_ledger", home.account.pk, figure="paid")
    assert "make up $334.17" in read(page)
    assert reverse("admin:payments_payment_change", args=[home.posted.pk]) in page.content.decode()
    address = reverse("admin:account_ledger", args=[home.account.pk])
    assert clerk.get(address, {"figure": "nothing"}).status_code == 404
    assert clerk.get(reverse("admin:account_timeline", args=[0])).status_code == 404
    assert clerk.get(reverse("admin:member_overview", args=[0])).status_code == 404


def test_pages_of_any_size_hold_each_event_once_and_in_order_however_many_share_a_moment(home) -> None:
    at = eastern(2027, 1, 26)
    facts = {
        "event": "due_reminder",
        "channel": "letter",
        "member": home.account.enrollment.member,
        "facts": {},
    }
    Notice.objects.bulk_create(
        Notice(subject=f"invoice:{number}", at=at, business_date=LAST, **facts)
        for number in range(90_000, 90_025)
    )
    whole, has_more = list_events(account=home.account, limit=1_000)
    assert not has_more
    assert [event.at for event in whole] == sorted((event.at for event in whole), reverse=True)
    pieces, after = [], None
    while True:
        page, has_more = list_events(account=home.account, after=after, limit=7)
        pieces += page
        if not has_more:
            break
        after = read_cursor(page[-1].cursor)
    assert [event.cursor for event in pieces] == [event.cursor for event in whole]
    assert len({event.cursor for event in pieces}) == len(pieces) > 50

    check_kinds(home)


def check_kinds(home) -> None:
    """A kind alone is shown when it is asked for."""
    for kind in KIND_WORDS:
        events, _ = list_events(account=home.account, kinds=[kind])
        assert {event.kind for event in events} <= {kind}
    words = read(see(sign_in(make_clerk()), "account_timeline", home.account.pk, kind="refunds"))
    assert "Refund" in words
    assert "First bill" not in words
    assert {source.kind for source in SOURCES} == set(KIND_WORDS)


@pytest.mark.parametrize(
    "text", ["", "x", "2027-01-26", "2027-01-26T12:00:00,1,2", "2027-01-26T12:00:00+00:00,a,b", ",,,"]
)
def test_a_place_that_names_none_is_the_first_page(text: str) -> None:
    assert read_cursor(text) is None


def test_a_timeline_asks_as_often_for_years_as_for_days(home) -> None:
    clerk = sign_in(make_clerk())

    def count(account_id: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            see(clerk, "account_timeline", account_id)
        return len(asked)

    few = count(make_account().pk)
    facts = {
        "event": "due_reminder",
        "channel": "letter",
        "member": home.account.enrollment.member,
        "facts": {},
    }
    Notice.objects.bulk_create(
        Notice(
            subject=f"invoice:{number}",
            at=eastern(2027, 1, 26) + timedelta(days=number % 900),
            business_date=LAST,
            **facts,
        )
        for number in range(2_000)
    )
    many = count(home.account.pk)
    assert many <= few + 3 <= MOST_STATEMENTS
    with CaptureQueriesContext(connection) as asked:
        see(clerk, "member_overview", home.account.enrollment.member_id)
    assert len(asked) <= 25


def refuse_members(home) -> None:
    """Nobody but staff sees any of it."""
    pages = [
        ("member_overview", home.account.enrollment.member_id),
        ("account_timeline", home.account.pk),
        ("account_ledger", home.account.pk),
        ("payments_fileentry_line", FileEntry.objects.first().pk),
    ]
    member = sign_in(people.make_user())
    for page, key in pages:
        assert member.get(reverse(f"admin:{page}", args=[key])).status_code in (302, 403)
