"""I mailed a check: expected until one comes, told which day counts and when it may be too late, never counted as money."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from billing.balances import read_standing
from billing.models import Account, Receipt
from connector_pay.lib import clock
from members.models import Member
from payments.mailed_checks import find_expected, find_expected_like
from payments.models import MailedCheck
from tests.diary import Diary, eastern
from tests.payments.checking import receive
from tests.payments.payers import find_account, make_household, read, read_hidden, sign_in
from tests.staff.acts import make_clerk

pytestmark = pytest.mark.starts(eastern(2027, 1, 11))
MONDAY = date(2027, 1, 11)
SAID = (
    "You told us that a check for $284.17 is on its way. It counts on the day we receive it, not the day you mailed it. "
    "Paper takes 3 to 5 business days."
)


@pytest.fixture(autouse=True)
def _monday_the_11th(diary: Diary) -> Diary:
    """The day of these tests, unless a test says otherwise."""
    return diary


@pytest.fixture
def member(diary: Diary) -> Member:
    return make_household()


@pytest.fixture
def browser(member: Member) -> Client:
    return sign_in(member)


@pytest.fixture
def account(member: Member) -> Account:
    return find_account(member)


def open_form(browser: Client, account: Account) -> tuple[str, str]:
    """The page's address and its form key."""
    address = reverse("mailed_check", args=[account.pk])
    return address, read_hidden(browser.get(address), "form_key")


def tell(browser: Client, account: Account, **typed: str) -> str:
    """Say that it is in the mail; the page that follows."""
    address, form_key = open_form(browser, account)
    sent = {"amount": "284.17", "number": "1042", "mailed_on": MONDAY.isoformat(), "form_key": form_key}
    answer = browser.post(address, sent | typed, follow=True)
    browser.post(address, sent | typed)
    return read(answer)


def expects(account: Account, *, today: date = MONDAY) -> bool:
    return bool(find_expected(account_ids=[account.pk], today=today))


def test_it_is_shown_on_home_and_bill_kept_once_and_pays_nothing(browser: Client, account: Account) -> None:
    before = read_standing(account_id=account.pk, today=MONDAY)
    assert SAID in tell(browser, account)
    assert read_standing(account_id=account.pk, today=MONDAY) == before
    assert not Receipt.objects.exists()
    assert MailedCheck.objects.count() == 1
    bill = reverse("bill", args=[account.invoices.get().number])
    for address in (reverse("home"), bill):
        answer = browser.get(address)
        assert SAID in read(answer)
        assert "no-store" in answer["Cache-Control"]
    timeline = read(make_clerk().get(reverse("admin:account_timeline", args=[account.pk])))
    assert "The member says that check 1042 of $284.17 is in the mail" in timeline


def test_the_member_says_that_it_is_not_coming(browser: Client, account: Account) -> None:
    tell(browser, account)
    asked = browser.get(reverse("mailed_check", args=[account.pk]), follow=True)
    assert "Is this check not coming?" in read(asked)
    answer = browser.post(asked.redirect_chain[-1][0], follow=True)
    assert "We no longer expect this check." in read(answer)
    assert SAID not in read(browser.get(reverse("home")))
    assert not expects(account)
    assert SAID in tell(browser, account)


def test_it_ends_when_a_check_comes_for_the_account(browser: Client, account: Account) -> None:
    tell(browser, account)
    tuesday = MONDAY + timedelta(1)
    waiting = receive(cents=284_17, number="1042", received_on=tuesday, deposit_on=tuesday, today=tuesday)
    assert [item.account for item in find_expected_like(check=waiting, today=tuesday)] == [account]
    assert expects(account, today=tuesday)
    receive((account, 284_17), received_on=tuesday, deposit_on=tuesday, today=tuesday)
    assert not expects(account, today=tuesday)


@pytest.mark.parametrize(("days", "is_expected"), [(29, True), (30, False)])
def test_it_ends_after_30_days(browser: Client, account: Account, days: int, is_expected: bool) -> None:
    tell(browser, account)
    assert expects(account, today=MONDAY + timedelta(days)) is is_expected


@pytest.mark.parametrize(("mailed", "is_late"), [(date(2027, 1, 14), False), (date(2027, 1, 15), True)])
def test_mailed_too_near_the_due_date_it_says_so_and_offers_paying_online(
    diary: Diary, member: Member, account: Account, mailed: date, is_late: bool
) -> None:
    diary.go_to(eastern(2027, 1, 15))
    browser = sign_in(member)
    words = tell(browser, account, mailed_on=mailed.isoformat())
    warning = (
        f"A check mailed on January {mailed.day}, 2027 may not reach us by January 23, 2027. If it is not paid by "
        "January 23, 2027, your coverage starts March 1, 2027, not February 1, 2027."
    )
    assert (warning in words) is is_late
    MailedCheck.objects.update(withdrawn_at=clock.now())
    page = read(browser.get(reverse("mailed_check", args=[account.pk])))
    assert "A check mailed on January 15, 2027 may not reach us" in page
    assert "Online counts today." in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amount": "0"}, "Enter an amount of at least $0.01"),
        ({"amount": "100000.01"}, "Enter $100,000.00 or less"),
        ({"number": "10 42"}, "Enter the check number in letters and digits"),
        ({"mailed_on": "2027-01-12"}, "Enter the day you mailed it: today, or a day in the last month"),
        ({"mailed_on": "2026-12-12"}, "Enter the day you mailed it: today, or a day in the last month"),
        ({"mailed_on": "soon"}, "Enter a date, like 01/23/2027"),
    ],
)
def test_what_cannot_be_is_said_beside_its_box(
    browser: Client, account: Account, typed: dict[str, str], said: str
) -> None:
    assert said in tell(browser, account, **typed)
    assert not MailedCheck.objects.exists()


def test_nobody_tells_of_another_member_s_bill_nor_sees_its_check(browser: Client, account: Account) -> None:
    tell(browser, account)
    other = sign_in(make_household())
    assert other.get(reverse("mailed_check", args=[account.pk])).status_code == 404
    check = MailedCheck.objects.get()
    assert other.post(reverse("withdraw_mailed", args=[check.pk])).status_code == 404
    assert expects(account)


def test_an_unmatched_check_of_that_amount_says_whose_it_may_be(browser: Client, account: Account) -> None:
    tell(browser, account)
    check = receive(cents=284_17, received_on=MONDAY, deposit_on=MONDAY, today=MONDAY)
    page = make_clerk("match_money").get(reverse("admin:payments_receivedcheck_match", args=[check.pk]))
    assert "Alice Alvarez told us of such a check, mailed January 11, 2027" in read(page)
