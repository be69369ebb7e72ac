"""The sentence about falling behind: what is past due, the last day to pay it, and what happens to coverage otherwise."""

from collections.abc import Iterable
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.balances import Standing
from billing.episodes import Behind, read_behind
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from members.models import EnrollmentStatus

_PAY_OR_ENDS = _(
    "You are still covered. Pay the past due %(amount)s by %(pay_by)s, or your coverage ends on %(end)s."
)
_PAY_TO_GO_ON = _(
    "Your coverage goes on only if you pay. Pay the past due %(amount)s by %(pay_by)s. If we do not receive it, we will end "
    "your coverage as of %(end)s. You may have to pay for all care you got after that day."
)
_PAY_OR_MAY_END = _(
    "You are still covered. Pay the past due %(amount)s by %(pay_by)s, or your coverage can end."
)
_TOO_LATE = _(
    "The last day to pay was %(pay_by)s. We will end your coverage as of %(end)s. Call us now if you want to keep it."
)
_TOO_LATE_MAY_END = _(
    "The last day to pay was %(pay_by)s. Your coverage can end. Call us now if you want to keep it."
)
_UNPAID = _("You are still covered. If this stays unpaid, your coverage can end.")


def describe_each_behind(*, standings: Iterable[Standing], today: date) -> dict[int, str]:
    """The sentence of each account, by its id. One statement."""
    listed = list(standings)
    behind = read_behind(account_ids=[standing.account_id for standing in listed])
    return {
        standing.account_id: describe_behind(
            standing=standing, behind=behind.get(standing.account_id), today=today
        )
        for standing in listed
    }


def describe_behind(*, standing: Standing, behind: Behind | None, today: date) -> str:
    """What an active coverage with a bill past due is told; empty for any other.

    `behind` is where the account stands on its ladder; there is none before the night's review has seen the bill.
    """
    if standing.enrollment_status != EnrollmentStatus.ACTIVE or not (standing.past_due_cents or behind):
        return ""
    if behind is None:
        return str(_UNPAID)
    ladder = behind.ladder
    facts = {"amount": format_dollars(standing.past_due_cents), "pay_by": long_date(ladder.last_day_to_pay)}
    if ladder.ends_on:
        facts["end"] = long_date(ladder.ends_on)
    if ladder.last_day_to_pay < today:
        return str((_TOO_LATE if ladder.ends_on else _TOO_LATE_MAY_END) % facts)
    if not standing.past_due_cents:
        return ""  # paid since the last review, which has still to find it
    return str(_choose_words(ladder.ends_on, today=today) % facts)


def _choose_words(ends_on: date | None, *, today: date) -> Promise:
    """What not paying does: a day to come, a day that has passed already, or one that staff choose."""
    if ends_on is None:
        return _PAY_OR_MAY_END
    return _PAY_TO_GO_ON if ends_on < today else _PAY_OR_ENDS
