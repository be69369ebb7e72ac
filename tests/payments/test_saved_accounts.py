"""Which saved bank account is ticked beforehand: the one that paid last, never one whose payment came back."""

from datetime import date

import pytest

from members.models import User
from payments.models import BankAccount, PaymentChannel
from payments.recording import Payer
from payments.saved_accounts import find_last_good
from tests import people
from tests.payments import paying

pytestmark = pytest.mark.usefixtures("books")
NO_MONEY = "1000000001"  # R01, three banking days after the debit
LATER = date(2027, 1, 13)


@pytest.fixture
def user(books: None) -> User:
    """A member who signs in."""
    return people.make_user(member=people.make_member())


def pay(user: User, number: str, *, today: date = paying.TUESDAY, product: str = "health") -> BankAccount:
    """One payment of a new bill from this account; the account."""
    payer = Payer(channel=PaymentChannel.WEB, user=user, name="Alice Alvarez")
    account = paying.make_account(member=user.member, product=product)
    return paying.pay(account, today=today, number=number, payer=payer).bank_account


def test_the_account_that_paid_last_is_ticked(user: User) -> None:
    first = pay(user, "5550001")
    second = pay(user, "5550002", today=LATER, product="dental")
    assert find_last_good(accounts=[first, second]) == second.pk
    assert find_last_good(accounts=[first]) == first.pk
    assert find_last_good(accounts=[]) is None


def test_an_account_whose_last_payment_came_back_is_never_ticked(user: User) -> None:
    good = pay(user, "5550001")
    bad = pay(user, NO_MONEY, today=LATER, product="dental")
    paying.live(paying.TUESDAY, date(2027, 1, 22))
    assert find_last_good(accounts=[bad, good]) == good.pk
    assert find_last_good(accounts=[bad]) is None
