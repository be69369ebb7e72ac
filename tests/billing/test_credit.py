"""Money lands on debts in order, and not a cent is lost."""

from hypothesis import given
from hypothesis import strategies as st

from billing.credit import Debt, IdleMoney, spread

amounts = st.lists(st.integers(1, 1_000_00), max_size=8)


def make_money(cents: list[int]) -> list[IdleMoney]:
    return [
        IdleMoney(receipt_id=key, reference=f"payment:{key}", cents=each) for key, each in enumerate(cents)
    ]


def make_debts(cents: list[int]) -> list[Debt]:
    return [Debt(invoice_id=key, cents=each) for key, each in enumerate(cents)]


@given(received=amounts, owed=amounts)
def test_all_the_money_lands_or_all_the_debts_are_paid(received: list[int], owed: list[int]) -> None:
    landings = spread(money=make_money(received), debts=make_debts(owed))
    assert sum(landing.cents for landing in landings) == min(sum(received), sum(owed))


@given(received=amounts, owed=amounts)
def test_no_receipt_gives_and_no_debt_takes_more_than_it_has(received: list[int], owed: list[int]) -> None:
    landings = spread(money=make_money(received), debts=make_debts(owed))
    assert all(landing.cents > 0 for landing in landings)
    for key, cents in enumerate(received):
        assert sum(landing.cents for landing in landings if landing.receipt_id == key) <= cents
    for key, cents in enumerate(owed):
        assert sum(landing.cents for landing in landings if landing.invoice_id == key) <= cents


@given(received=amounts, owed=amounts)
def test_the_oldest_debt_is_paid_in_full_before_the_next_gets_a_cent(
    received: list[int], owed: list[int]
) -> None:
    landings = spread(money=make_money(received), debts=make_debts(owed))
    paid = [sum(item.cents for item in landings if item.invoice_id == key) for key in range(len(owed))]
    for key in range(1, len(owed)):
        assert paid[key] == 0 or paid[key - 1] == owed[key - 1]


@given(received=amounts, owed=amounts)
def test_every_landing_has_a_reference_of_its_own(received: list[int], owed: list[int]) -> None:
    references = [landing.reference for landing in spread(money=make_money(received), debts=make_debts(owed))]
    assert len(set(references)) == len(references)


def test_a_receipts_moves_are_numbered_on_from_those_it_made_before() -> None:
    money = [IdleMoney(receipt_id=7, reference="payment:7", cents=50, moves=2)]
    landings = spread(money=money, debts=make_debts([30, 30]))
    assert [(item.cents, item.reference) for item in landings] == [(30, "payment:7:3"), (20, "payment:7:4")]
