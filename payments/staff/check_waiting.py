"""Checks that wait, in the words of staff's pages: why one that names its accounts does, who may place it, whose it may be."""

from django.http import HttpRequest

from billing.policy import read_policy
from connector_pay.lib import clock
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from payments import unmatched
from payments.check_limits import is_above_limit
from payments.mailed_checks import find_expected_like
from payments.models import ReceivedCheck

MAY_CONFIRM = "payments.confirm_check"
DATED_BACK = "Received by a due date that has passed, it waits until another person puts it on its account."
ABOVE_LIMIT = "Above {limit}, it waits until a supervisor puts it on its account."


def may_match(check: ReceivedCheck, *, request: HttpRequest) -> bool:
    """Whether this person is one who may put this much on accounts."""
    return not unmatched.takes_confirming(check) or request.user.has_perm(MAY_CONFIRM)


def say_limit() -> str:
    """From which amount on a supervisor confirms."""
    return ABOVE_LIMIT.format(limit=format_dollars(read_policy().check_alone_limit_cents))


def explain_waiting(check: ReceivedCheck) -> str:
    """Why a check that names its accounts is on none."""
    return say_limit() if is_above_limit(cents=check.cents) else DATED_BACK


def list_expected(check: ReceivedCheck) -> list[str]:
    """Whose it may be: members have told us that such a check is on its way."""
    return [
        f"{item.account.enrollment.member.full_name} told us of such a check, mailed {long_date(item.mailed_on)}: "
        f"account {item.account_id}, {item.account.enrollment.plan.name}."
        for item in find_expected_like(check=check, today=clock.today())
    ]
