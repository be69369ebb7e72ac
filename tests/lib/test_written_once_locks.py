"""A question written once that locks its rows is refused where nothing would hold the locks."""

from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet

from connector_pay.lib.written_once import write_once
from members.models import Enrollment
from tests.people import make_enrollment


def test_rows_are_locked_in_a_transaction_or_not_at_all(committed_db) -> None:
    keys = [make_enrollment(premium_cents=100_00).pk]

    @write_once
    def lock(ids: list[int]) -> QuerySet[Enrollment, Any]:
        return Enrollment.objects.select_for_update().filter(pk__among=ids).values_list("pk")

    for _time in range(2):
        with transaction.atomic():
            assert [key for (key,) in lock(keys)] == keys
        with pytest.raises(transaction.TransactionManagementError, match="begin one"):
            lock(keys)
