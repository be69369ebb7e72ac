"""Held accounts: those whose start of coverage staff are looking at; nothing ends by itself while they do."""

from collections.abc import Iterable

from billing.models import Account
from billing.start_reviews import list_under_review


def find_held(*, account_ids: Iterable[int]) -> set[int]:
    """The accounts whose start is under review, such as after the first payment came back once coverage had started."""
    enrollments = Account.objects.filter(pk__among=list(account_ids)).values_list("enrollment_id", "pk")
    accounts = dict(enrollments)
    return {accounts[key] for key in list_under_review(enrollment_ids=accounts)}
