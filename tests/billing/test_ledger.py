"""The ledger posts once."""

from datetime import date

import pytest
from django.db import connection, transaction
from django.db.utils import DataError, ProgrammingError

from billing.invariants import find_missing_guards
from billing.ledger import AlreadyPosted, Posting, post, read_balance
from billing.models import Allocation, Chart, Invoice, Movement, Receipt
from tests.billing.books import ENROLLED, PREMIUM, make_account, noon, receive

DAY = date(2027, 1, 10)


def posting(reference: str, cents: int = 100) -> Posting:
    return Posting(Chart.IN_TRANSIT, Chart.RECEIVABLE, cents, None, reference, DAY)


@pytest.mark.usefixtures("db")
class TestPosting:
    def test_a_reference_is_posted_once_and_the_whole_second_set_is_refused(self) -> None:
        post(postings=[posting("payment:1:received")], at=noon(DAY))
        with pytest.raises(AlreadyPosted, match="payment:1:received"), transaction.atomic():
            post(postings=[posting("payment:2:received"), posting("payment:1:received")], at=noon(DAY))
        assert list(Movement.objects.values_list("reference", flat=True)) == ["payment:1:received"]

    def test_the_same_reference_twice_in_one_set_is_refused(self) -> None:
        with pytest.raises(AlreadyPosted), transaction.atomic():
            post(postings=[posting("payment:1:received"), posting("payment:1:received")], at=noon(DAY))
        assert not Movement.objects.exists()

    def test_a_reference_too_long_for_its_column_is_refused_and_not_cut(self) -> None:
        with pytest.raises(DataError), transaction.atomic():
            post(postings=[posting("payment:" + "1" * 80)], at=noon(DAY))

    def test_nothing_to_post_asks_the_database_nothing(self, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            post(postings=[], at=noon(DAY))

    def test_a_balance_is_debits_less_credits_of_one_account_or_of_all(self) -> None:
        alice, bob = make_account(), make_account()
        receive(alice, 100_00, on=ENROLLED)
        assert read_balance(chart=Chart.RECEIVABLE, account_id=alice.pk) == PREMIUM - 100_00
        assert read_balance(chart=Chart.RECEIVABLE, account_id=bob.pk) == PREMIUM
        assert read_balance(chart=Chart.IN_TRANSIT) == 100_00
        assert read_balance(chart=Chart.BANK) == 0


@pytest.mark.usefixtures("books")
class TestTheApplicationsRole:
    """The portal signs in as a role that cannot rewrite the books."""

    @pytest.mark.parametrize("model", [Movement, Allocation, Invoice, Receipt])
    @pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_it_cannot_remove_rows(self, model, statement: str) -> None:
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement.format(model._meta.db_table))

    @pytest.mark.parametrize(
        ("model", "change"),
        [
            (Movement, {"cents": 1}),
            (Allocation, {"cents": 1}),
            (Invoice, {"amount_cents": 0}),
            (Receipt, {"cents": 1}),
        ],
    )
    def test_it_cannot_change_what_is_written(self, model, change: dict[str, object]) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            model.objects.update(**change)

    def test_it_cannot_date_or_move_money_without_a_change_that_says_so(self) -> None:
        receive(make_account(), PREMIUM, on=DAY)
        other = make_account()
        for change in ({"received_date": date(2027, 1, 1)}, {"account": other}):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                Receipt.objects.update(**change)

    def test_the_self_check_finds_every_guard_in_place(self) -> None:
        assert find_missing_guards() == []
