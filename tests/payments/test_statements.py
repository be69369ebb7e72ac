"""The words: what paying does to coverage and bills, what may be paid, when it is final, what it is called."""

from datetime import date, datetime, time

import pytest

from billing.balances import OpenInvoice, Standing
from billing.due_dates import DueDate, find_due_date
from billing.first_payments import BinderBill, FirstPayment, Money
from billing.premiums import Rate, Terms
from payments.coverage_sentences import describe_first_bill, describe_moved_start
from payments.models import Payment, PaymentStatus
from payments.statements import (
    PUBLIC_STATUS,
    amount_limits,
    authorization_text,
    describe_coverage,
    describe_cutoff,
    describe_due,
    describe_effect,
    describe_status,
    expected_clearing_date,
)
from tests.diary import eastern

FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
DUE = {FEBRUARY: date(2027, 1, 23), MARCH: date(2027, 2, 23)}
TODAY = date(2027, 1, 20)


def make_invoice(month: date = FEBRUARY, cents: int = 100_00, **facts) -> OpenInvoice:
    return OpenInvoice(
        **{
            "id": 1,
            "number": "0000000001",
            "coverage_month": month,
            "due_date": DUE[month],
            "amount_cents": cents,
            "received_cents": 0,
            "remaining_cents": cents,
            "is_binder": False,
        }
        | facts
    )


def make_first_payment(
    *binders: OpenInvoice,
    requested: date = FEBRUARY,
    due_date: DueDate = find_due_date,
    later_cents: int = 100_00,
) -> FirstPayment:
    """Each month costs $100.00, from March on what is given; the bills were issued on January 5."""
    rates = (Rate(1, FEBRUARY, 100_00, 0), Rate(2, MARCH, later_cents, 0))
    received = sum(bill.received_cents for bill in binders)
    return FirstPayment(
        requested_start=requested,
        due_date=due_date,
        terms=Terms(rates),
        money=(Money(date(2027, 1, 6), received),) if received else (),
        bills={
            bill.coverage_month: {bill.coverage_month: (BinderBill(date(2027, 1, 5), bill.amount_cents),)}
            for bill in binders
        },
    )


def make_standing(
    *invoices: OpenInvoice,
    status: str = "active",
    start: date = FEBRUARY,
    requested: date = FEBRUARY,
    due_date: DueDate = find_due_date,
    later_cents: int = 100_00,
    **facts,
) -> Standing:
    first_payment = make_first_payment(
        *(invoice for invoice in invoices if invoice.is_binder),
        requested=requested,
        due_date=due_date,
        later_cents=later_cents,
    )
    binder = next((invoice for invoice in invoices if invoice.is_binder), None)
    due = sum(invoice.remaining_cents for invoice in invoices)
    return Standing(
        **{
            "account_id": 1,
            "enrollment_id": 1,
            "member_id": 1,
            "product": "health",
            "plan_name": "Silver",
            "coverage_start": start,
            "requested_start": requested,
            "enrollment_status": status,
            "binder": binder,
            "open_invoices": tuple(invoice for invoice in invoices if invoice.remaining_cents),
            "due_cents": due,
            "this_month_cents": due,
            "past_due_cents": 0,
            "due_date": invoices[0].due_date if invoices else None,
            "credit_cents": 0,
            "monthly_premium_cents": 100_00,
            "in_progress_cents": 0,
            "binder_received": binder is not None and not binder.remaining_cents,
            "latest_invoice": None,
            "due_date_rule": due_date,
            "first_payment": first_payment if status == "waiting" else None,
        }
        | facts
    )


def say(standing: Standing | None, cents: int, *, received: date = TODAY, today: date = TODAY, **how) -> str:
    return describe_effect(standing=standing, amount_cents=cents, received_date=received, today=today, **how)


BINDER = make_standing(make_invoice(is_binder=True), status="waiting")


@pytest.mark.parametrize(
    ("day", "start"),
    [
        (date(2027, 1, 22), "February 1, 2027"),
        (date(2027, 1, 23), "February 1, 2027"),
        (date(2027, 1, 24), "March 1, 2027"),
    ],
)
def test_a_whole_first_bill_received_by_the_23rd_starts_on_the_1st_and_later_a_month_later(
    day: date, start: str
) -> None:
    assert say(BINDER, 100_00, received=day, today=day) == f"Received today, your coverage starts {start}."


def test_a_scheduled_first_payment_names_its_day() -> None:
    assert (
        say(BINDER, 100_00, today=date(2027, 1, 12))
        == "Received January 20, 2027, your coverage starts February 1, 2027."
    )


def test_part_of_a_first_bill_starts_nothing_and_says_what_is_missing() -> None:
    words = "This does not pay your whole first bill. Your coverage starts after $0.01 more is received."
    assert say(BINDER, 99_99) == words


@pytest.mark.parametrize(
    ("today", "words", "moved"),
    [
        (date(2027, 1, 23), "February 1, 2027, if paid by January 23, 2027", False),
        (date(2027, 1, 24), "Pay today: coverage starts March 1, 2027.", True),
    ],
)
def test_before_the_nightly_review_has_run_the_card_says_what_paying_today_does(
    today: date, words: str, moved: bool
) -> None:
    standing = make_standing(make_invoice(is_binder=True), status="waiting")
    assert describe_first_bill(standing=standing, today=today) == words
    said = "The first bill was not paid by its due date, so coverage does not start on February 1, 2027."
    assert describe_moved_start(standing=standing, today=today) == (said if moved else "")


def test_a_start_that_the_review_has_moved_is_said_to_have_moved() -> None:
    standing = make_standing(
        make_invoice(MARCH, is_binder=True),
        status="waiting",
        start=MARCH,
    )
    day = date(2027, 2, 10)
    assert "does not start on February 1, 2027" in describe_moved_start(standing=standing, today=day)
    assert describe_first_bill(standing=standing, today=day) == "March 1, 2027, if paid by February 23, 2027"
    assert describe_first_bill(standing=make_standing(), today=TODAY) == ""


@pytest.mark.parametrize(
    ("today", "lines"),
    [
        (date(2027, 1, 20), ["$100.00 is due by January 23, 2027", "$50.00 is due by February 23, 2027"]),
        (date(2027, 1, 24), ["$100.00 was due January 23, 2027", "$50.00 is due by February 23, 2027"]),
        (date(2027, 2, 24), ["$100.00 was due January 23, 2027", "$50.00 was due February 23, 2027"]),
    ],
)
def test_each_part_of_what_is_due_has_its_own_day(today: date, lines: list[str]) -> None:
    both = make_standing(make_invoice(), make_invoice(MARCH, 50_00))
    assert describe_due(standing=both, today=today) == lines


def test_one_day_for_all_that_is_due_is_said_once() -> None:
    one = make_standing(make_invoice())
    assert describe_due(standing=one, today=date(2027, 1, 23)) == ["Due by January 23, 2027"]
    assert describe_due(standing=one, today=date(2027, 1, 24)) == ["Was due January 23, 2027"]


def test_an_extended_due_date_gives_the_earlier_month() -> None:
    day = date(2027, 1, 28)
    rule = {FEBRUARY: date(2027, 1, 31)}.__getitem__
    extended = make_standing(make_invoice(is_binder=True), status="waiting", due_date=rule)
    assert "February 1, 2027" in say(extended, 100_00, received=day, today=day)


def test_a_month_that_has_begun_is_not_given_back() -> None:
    rule = {FEBRUARY: date(2027, 2, 5), MARCH: DUE[MARCH]}.__getitem__
    pushed = make_standing(make_invoice(MARCH, is_binder=True), status="waiting", start=MARCH, due_date=rule)
    day = date(2027, 2, 2)
    assert "March 1, 2027" in say(pushed, 100_00, received=day, today=day)


def test_before_the_nightly_review_the_price_of_the_month_that_it_will_start_decides() -> None:
    """At one minute past midnight the bill on the page is February's, and March costs more."""
    day = date(2027, 1, 24)
    standing = make_standing(make_invoice(is_binder=True), status="waiting", later_cents=115_00)
    missing = "This does not pay your whole first bill. Your coverage starts after $15.00 more is received."
    assert say(standing, 100_00, received=day, today=day) == missing
    assert (
        say(standing, 115_00, received=day, today=day)
        == "Received today, your coverage starts March 1, 2027."
    )
    on_time = date(2027, 1, 23)
    assert "February 1, 2027" in say(standing, 100_00, received=on_time, today=on_time)


def test_before_the_nightly_review_a_cheaper_month_is_started_by_less() -> None:
    day = date(2027, 1, 24)
    standing = make_standing(make_invoice(is_binder=True), status="waiting", later_cents=80_00)
    assert (
        say(standing, 80_00, received=day, today=day) == "Received today, your coverage starts March 1, 2027."
    )


@pytest.mark.parametrize(
    ("cents", "day", "words"),
    [
        (100_00, date(2027, 1, 23), "Received today, your bill for February 2027 is paid on time."),
        (
            100_00,
            date(2027, 1, 24),
            "Received today, your bill for February 2027 is paid. It was due January 23, 2027.",
        ),
        (
            60_00,
            TODAY,
            "Received today, $40.00 of your bill for February 2027 is still to pay by January 23, 2027.",
        ),
        (
            120_00,
            TODAY,
            "Received today, your bill for February 2027 is paid on time. $20.00 is credit for your next bill.",
        ),
    ],
)
def test_what_a_payment_does_to_a_later_bill(cents: int, day: date, words: str) -> None:
    assert say(make_standing(make_invoice()), cents, received=day, today=day) == words


def test_the_oldest_of_two_bills_is_paid_first() -> None:
    standing = make_standing(make_invoice(), make_invoice(MARCH))
    day = date(2027, 2, 10)
    assert say(standing, 150_00, received=day, today=day) == (
        "Received today, your bill for February 2027 is paid. It was due January 23, 2027. "
        "$50.00 of your bill for March 2027 is still to pay by February 23, 2027."
    )


def test_nothing_due_becomes_credit() -> None:
    assert say(make_standing(), 5_00) == "Received today, $5.00 is credit for your next bill."


def test_who_pays_for_someone_else_reads_of_the_coverage_not_of_theirs() -> None:
    assert (
        say(BINDER, 100_00, whose="the") == "Received today, the member's coverage starts February 1, 2027."
    )


@pytest.mark.parametrize(
    ("day", "earliest"), [(date(2027, 1, 23), "February 1, 2027"), (date(2027, 1, 24), "March 1, 2027")]
)
def test_who_is_shown_nothing_hears_what_holds_for_anyone(day: date, earliest: str) -> None:
    assert say(None, 100_00, received=day, today=day) == (
        "If this is a first payment, it must cover the whole bill. "
        f"Received today, coverage can start no earlier than {earliest}."
    )


@pytest.mark.parametrize(
    ("due", "premium", "limits"),
    [
        (100_00, 100_00, (1_00, 100_00, 400_00)),
        (20, 20, (20, 20, 80)),
        (9_900_00, 100_00, (1_00, 9_900_00, 10_000_00)),
        (12_000_00, 100_00, (1_00, 12_000_00, 12_000_00)),
        (0, 100_00, (1_00, 0, 300_00)),
    ],
)
def test_the_limits_of_an_amount(due: int, premium: int, limits: tuple[int, int, int]) -> None:
    standing = make_standing(monthly_premium_cents=premium, due_cents=due)
    found = amount_limits(standing=standing)
    assert (found.minimum, found.warn_above, found.maximum) == limits


def test_the_authorization_names_payee_amount_day_account_and_how_to_cancel() -> None:
    text = authorization_text(payee="the Connector", amount_cents=284_17, debit_on=TODAY, last_four="6789")
    for part in ("the Connector", "$284.17", "January 20, 2027", "6789", "cancel", "once", "1-877-623-6765"):
        assert part in text


@pytest.mark.parametrize(
    ("at", "received", "clears"),
    [
        (eastern(2027, 1, 12, 16, 59), date(2027, 1, 12), date(2027, 1, 19)),
        (eastern(2027, 1, 12, 17, 0), date(2027, 1, 12), date(2027, 1, 20)),
        (eastern(2026, 5, 23), date(2026, 5, 23), date(2026, 6, 1)),
        (eastern(2027, 1, 12), date(2027, 1, 22), date(2027, 1, 27)),
    ],
)
def test_a_payment_is_final_three_banking_days_after_its_debit(
    at: datetime, received: date, clears: date
) -> None:
    day = min(received, date(2027, 1, 12)) if at.year == 2027 else received
    assert expected_clearing_date(today=day, at=at, received_date=received) == clears


def test_a_payment_in_a_file_is_final_three_banking_days_after_the_file_s_own_date() -> None:
    final = expected_clearing_date(
        today=date(2027, 1, 18),
        at=eastern(2027, 1, 18),
        received_date=TODAY,
        effective_date=date(2027, 1, 13),
    )
    assert final == date(2027, 1, 19)


def test_every_status_has_one_public_word() -> None:
    assert set(PUBLIC_STATUS) == set(PaymentStatus)
    assert {str(word) for word in PUBLIC_STATUS.values()} == {"Processing", "Paid", "Returned", "Canceled"}
    scheduled = Payment(status="recorded", received_date=date(2027, 1, 21))
    assert describe_status(payment=scheduled, today=TODAY) == "Scheduled"
    assert describe_status(payment=scheduled, today=date(2027, 1, 21)) == "Processing"


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (BINDER, "Waiting for first payment"),
        (
            make_standing(make_invoice(is_binder=True, remaining_cents=0), status="waiting"),
            "First payment received, starts February 1, 2027",
        ),
        (make_standing(), "First payment received, starts February 1, 2027"),
        (make_standing(start=date(2027, 1, 1)), "Active"),
        (make_standing(status="ended"), "Ended"),
        (make_standing(status="expired"), "Ended"),
    ],
)
def test_coverage_in_words(standing: Standing, words: str) -> None:
    assert describe_coverage(standing=standing, today=TODAY) == words


@pytest.mark.parametrize(
    ("cutoff", "english", "spanish"),
    [
        (time(17), "5 p.m.", "5 p. m."),
        (time(15, 30), "3:30 p.m.", "3:30 p. m."),
        (time(12), "12 p.m.", "12 p. m."),
        (time(11, 59), "11:59 a.m.", "11:59 a. m."),
    ],
)
def test_the_cutoff_is_said_as_the_policy_has_it(cutoff, english, spanish, settings):
    settings.PREMIUM_POLICY = {"file_cutoff": cutoff}
    assert describe_cutoff() == english
    assert describe_cutoff(language="es") == spanish
    text = authorization_text(payee="the Connector", amount_cents=1_00, debit_on=TODAY, last_four="6789")
    assert f"sent to my bank, which happens at {english} Eastern on banking days" in text
