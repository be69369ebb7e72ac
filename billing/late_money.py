"""Late money: bills that an episode asked for are paid, but not by money received while they were all that was asked for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from django.db.models import Sum
from django.db.models.functions import Coalesce

from billing.balances import Standing
from billing.credit import sum_withdrawn
from billing.ladders import Asked
from billing.models import Allocation, Episode, Receipt


def find_paid_late(
    *, episodes: Sequence[Episode], standings: Mapping[int, Standing], asked: Mapping[int, Asked]
) -> set[int]:
    """Those of the episodes whose bills that were asked for, all paid by now, were not covered by money received in time.

    Late money may lie on them though as much came in time and lies elsewhere on the account: we came to know of it
    afterwards. Two statements.
    """
    if not episodes:
        return set()
    by_account = {item.account_id: item for item in episodes}
    until = {key: asked[item.pk].until for key, item in by_account.items()}
    missing, elsewhere = Counter[int](), _sum_received_in_time(until)
    placed = Allocation.objects.filter(invoice__account__among=list(by_account), invoice__voided_at=None)
    due_month = Coalesce("invoice__binder_start", "invoice__coverage_month")
    rows = placed.values_list("invoice__account", due_month, "receipt__received_date").annotate(Sum("cents"))
    for key, month, received, cents in rows.order_by():
        if standings[key].due_date_rule(month) >= asked[by_account[key].pk].before:
            continue
        if received > until[key]:
            missing[key] += cents
        else:
            elsewhere[key] -= cents
    return {item.pk for key, item in by_account.items() if missing[key] > elsewhere[key]}


def _sum_received_in_time(until: Mapping[int, date]) -> Counter[int]:
    """By account, the cents received by its last day in time that stand and were not given back."""
    receipts = Receipt.objects.filter(account__among=list(until), taken_back_on=None).annotate(
        back=sum_withdrawn()
    )
    total = Counter[int]()
    for key, received, cents, back in receipts.values_list("account", "received_date", "cents", "back"):
        if received <= until[key]:
            total[key] += cents - back
    return total
