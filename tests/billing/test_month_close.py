"""The close of a month: from the ledger alone, it adds up, the next month begins where it ended, and its fingerprint tells."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from billing.ledger import Posting, post, read_balance
from billing.models import Chart
from billing.month_close import UnableToCloseMonth, close_month, write_csv
from connector_pay.lib.models import AccessLog
from connector_pay.roles import Role
from tests import people
from tests.billing.books import noon
from tests.payments.payers import read

pytestmark = pytest.mark.django_db
JANUARY, FEBRUARY, MARCH = date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1)
BILL, RECEIVED, SETTLED = (
    (Chart.RECEIVABLE, Chart.PREMIUMS, "issued"),
    (Chart.IN_TRANSIT, Chart.RECEIVABLE, "received"),
    (Chart.BANK, Chart.IN_TRANSIT, "settled"),
)


def move(kind: tuple[Chart, Chart, str], number: int, cents: int, day: date) -> None:
    debit, credit, what = kind
    subject = "invoice" if kind is BILL else "payment"
    posting = Posting(debit, credit, cents, None, f"{subject}:{number}:{what}", day)
    post(postings=[posting], at=noon(day))


@pytest.fixture
def movements() -> None:
    """Billed on the 1st; one pays at January's very end and it settles in February's first hours, another never."""
    move(BILL, 1, 300_00, JANUARY)
    move(BILL, 2, 50_00, JANUARY)
    move(RECEIVED, 1, 300_00, date(2020, 1, 31))
    move(SETTLED, 1, 300_00, FEBRUARY)
    move(BILL, 3, 1, date(2020, 2, 29))


def close(month: date, *, today: date = MARCH):
    return close_month(month=month, today=today)


@pytest.mark.usefixtures("movements")
def test_every_account_opens_where_it_closed_and_all_of_them_add_up_to_nothing() -> None:
    january, february = close(JANUARY), close(FEBRUARY)
    assert [row.opening_cents for row in january.balances] == [0] * len(Chart)
    assert [row.closing_cents for row in january.balances] == [row.opening_cents for row in february.balances]
    for month in (january, february):
        assert sum(row.closing_cents for row in month.balances) == 0
        assert sum(row.debit_cents for row in month.balances) == month.moved_cents
        assert sum(row.credit_cents for row in month.balances) == month.moved_cents
    closing = {row.chart: row.closing_cents for row in february.balances}
    assert closing == {chart: read_balance(chart=chart) for chart in Chart}


@pytest.mark.usefixtures("movements")
def test_movements_are_counted_by_kind_in_their_own_month() -> None:
    kinds = {kind.name: (kind.number, kind.cents) for kind in close(JANUARY).kinds}
    assert kinds == {"invoice issued": (2, 350_00), "payment received": (1, 300_00)}
    kinds = {kind.name: (kind.number, kind.cents) for kind in close(FEBRUARY).kinds}
    assert kinds == {"invoice issued": (1, 1), "payment settled": (1, 300_00)}


@pytest.mark.usefixtures("movements")
def test_a_cent_more_in_a_month_changes_its_fingerprint_and_no_other_months() -> None:
    before = close(JANUARY).fingerprint, close(FEBRUARY).fingerprint
    assert close(JANUARY).fingerprint == before[0] != before[1]
    move(BILL, 4, 1, date(2020, 1, 31))
    assert close(JANUARY).fingerprint != before[0]
    assert close(FEBRUARY).fingerprint == before[1]


def test_a_month_without_movements_closes_too() -> None:
    assert close(JANUARY).moved_cents == 0
    assert "balance,Cash at the bank,,,,$0.00,$0.00,$0.00,$0.00" in write_csv(close=close(JANUARY))


def test_a_month_can_be_closed_from_the_first_of_the_next_on() -> None:
    assert close(FEBRUARY, today=MARCH).month == FEBRUARY
    with pytest.raises(UnableToCloseMonth, match=r"February 2020 is not over.*March 1, 2020"):
        close(FEBRUARY, today=date(2020, 2, 29))


@pytest.mark.usefixtures("movements")
def test_the_command_writes_both_files_and_says_the_fingerprint(tmp_path: Path) -> None:
    said = StringIO()
    call_command("close_month", "2020-01", folder=tmp_path, stdout=said)
    lines = (tmp_path / "month-close-2020-01.csv").read_text().splitlines()
    assert "balance,Premiums billed,,,,$0.00,$0.00,$350.00,($350.00)" in lines
    assert f"ledger sha256,{close(JANUARY).fingerprint},,,,,,," in lines
    assert (tmp_path / "month-close-2020-01.pdf").read_bytes().startswith(b"%PDF")
    assert close(JANUARY).fingerprint in said.getvalue()


@pytest.mark.parametrize("month", ["2020-13", "January", "2999-01"])
def test_the_command_refuses_what_is_no_month_or_not_over(month: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"is no month|is not over"):
        call_command("close_month", month, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


class TestThePage:
    URL = "/admin/billing/movement/close/?month=2020-01"

    def open_as(self, role: Role) -> Client:
        client = Client()
        client.force_login(people.make_clerk(role), backend="django.contrib.auth.backends.ModelBackend")
        return client

    @pytest.mark.usefixtures("movements")
    def test_an_auditor_reads_the_figures_and_takes_the_package(self) -> None:
        client = self.open_as(Role.AUDITOR)
        assert reverse("admin:billing_movement_close") in read_page(client, "/admin/billing/movement/")
        page = read(client.get(self.URL))
        assert "Owed by members $0.00 $350.00 $300.00 $50.00" in page
        assert "Moved in all: $650.00" in page
        for ending, start in (("csv", b"Part,What"), ("pdf", b"%PDF")):
            answer = client.post(self.URL, {ending: "yes"})
            assert answer.content.startswith(start)
        assert [look.subject for look in AccessLog.objects.order_by("pk")] == [
            "month-close-2020-01.csv",
            "month-close-2020-01.pdf",
        ]

    @pytest.mark.parametrize("month", ["2999-01", "soon"])
    def test_another_month_is_asked_for_in_words(self, month: str) -> None:
        page = self.open_as(Role.SUPERVISOR).get(f"/admin/billing/movement/close/?month={month}")
        assert "is not over" in read(page) or "Write the month like 2027-01" in read(page)

    @pytest.mark.parametrize("role", [Role.REVIEWER, Role.CASHIER])
    def test_others_are_refused(self, role: Role) -> None:
        assert self.open_as(role).get(self.URL).status_code == 403
        assert self.open_as(role).post(self.URL, {"csv": "yes"}).status_code == 403


def read_page(client: Client, path: str) -> str:
    return client.get(path).content.decode()
