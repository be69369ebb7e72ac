"""Moved money: where staff find a payment's money to be another account's, it counts for that one from then on."""

from django.db.models import CharField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from billing.models import Receipt


def find_moved() -> QuerySet[Receipt]:
    """Of the payment in the query around it: its receipt, where that counts for another account than the payment names."""
    reference = Concat(Value("payment:"), Cast(OuterRef("pk"), CharField()))
    return Receipt.objects.filter(~Q(account=OuterRef("account")), reference=reference)
