"""What the tests of seeing and finding do: a household that has paid, was refused by the bank, paid again and got money back."""

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import Permission
from django.test import Client

from billing.models import Account
from members.models import User
from payments.models import Payment, Refund
from tests import people
from tests.payments import refunding
from tests.payments.paying import PREMIUM, live, make_account, pay

NO_MONEY = "1000000001"  # R01, three banking days after the debit
FIRST, LAST = date(2027, 1, 6), date(2027, 1, 26)


@dataclass
class Home:
    """A household, its account, the payment that came back, the one that stayed, and the refund by check."""

    account: Account
    returned: Payment
    posted: Payment
    refund: Refund


def live_a_story() -> Home:
    """A payment of January 6 comes back; one of January 12, $50.00 too much, stays; $20.00 of it go back by check."""
    member = people.make_member(
        member_id="003456789011", first_name="Rosa", last_name="Delgado", phone="+16175550142"
    )
    account = make_account(member=member)
    returned = pay(account, today=FIRST, number=NO_MONEY)
    live(FIRST, date(2027, 1, 11))
    posted = pay(account, PREMIUM + 50_00, today=date(2027, 1, 12))
    live(date(2027, 1, 12), LAST)
    refund = refunding.ask_and_approve(refunding.find_receipt(posted), 20_00, method="check", today=LAST)
    refund = refunding.print_check(refund, "1042", today=LAST)
    for payment in (returned, posted):
        payment.refresh_from_db()
    assert (returned.status, posted.status) == ("returned", "posted")
    return Home(account, returned, posted, refund)


def make_clerk(*rights: str) -> User:
    """One of the staff with these rights alone."""
    clerk = people.make_staff(is_superuser=False)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return clerk


def sign_in(user: User) -> Client:
    """The browser of one of the staff."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
