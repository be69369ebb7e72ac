"""Every crash point of recording, building and sending files, reading, settling, and the nightly review.

Wherever the process dies, the self-check is clean at once, and running the work again ends where it would have ended.
"""

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from django.test import override_settings

from billing import ends, invoices, overdue, terminations
from billing.models import Episode
from connector_pay.simulation.facts import read_facts
from members.models import Enrollment, User
from payments import settlement, tasks
from payments.bank.sandbox import SandboxBank
from payments.bank_accounts import BankDetails
from payments.models import PaymentChannel
from payments.recording import Payer, PaymentItem, record_payments
from payments.statements import authorization_text
from tests import people
from tests.billing import behind
from tests.crash_points import Effect, Work, check_every_crash_point
from tests.diary import eastern
from tests.payments.outgoing import make_bank_account, make_prenote

FORM_KEY = UUID("6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b22")
BANK_PUT = (Effect(SandboxBank, "put"),)
RECORDED_AT = eastern(2027, 1, 20, 11)


def enroll_all() -> None:
    """Alice with health and dental, Bob with health; nothing billed yet."""
    alice = people.make_member()
    people.make_enrollment(member=alice, external_id="alice-health")
    people.make_enrollment(member=alice, product="dental", premium_cents=31_50, external_id="alice-dental")
    people.make_enrollment(member=people.make_member(first_name="Bob"), external_id="bob-health")


def issue() -> None:
    """The bills of January 5."""
    invoices.issue_missing(today=date(2027, 1, 5), at=people.ENROLLED_AT)


def enroll_alice_and_bob() -> None:
    """The same, with their first bills."""
    enroll_all()
    issue()


def record_alice(account_number: str = "482001234567") -> None:
    """Alice pays both of her bills in one visit."""
    from billing.models import Account

    accounts = Account.objects.filter(enrollment__external_id__startswith="alice").order_by(
        "enrollment__external_id"
    )
    amounts = {"alice-dental": 31_50, "alice-health": 284_17}
    items = [
        PaymentItem(
            account_id=account.pk,
            amount_cents=amounts[account.enrollment.external_id],
            received_date=date(2027, 1, 20),
            coverage_sentence="Received today, your coverage starts February 1, 2027.",
            authorization_text=authorization_text(
                payee="State Health Connector",
                amount_cents=amounts[account.enrollment.external_id],
                debit_on=date(2027, 1, 20),
                last_four=account_number[-4:],
            ),
        )
        for account in accounts.select_related("enrollment")
    ]
    record_payments(
        payer=Payer(channel=PaymentChannel.GUEST, user=None, name="Alice Alvarez"),
        bank=BankDetails(
            holder_name="Alice Alvarez",
            kind="checking",
            routing_number="011000015",
            account_number=account_number,
        ),
        items=items,
        form_key=FORM_KEY,
        today=date(2027, 1, 20),
        at=RECORDED_AT,
    )


def prepare_recorded() -> None:
    """Alice's payments are recorded."""
    enroll_alice_and_bob()
    record_alice()


def prepare_recorded_on_an_empty_account() -> None:
    """Alice's payments are recorded, on a bank account that returns R01."""
    enroll_alice_and_bob()
    record_alice("1000000001")


def send() -> None:
    """17:00 on January 20."""
    tasks.send_files(day=date(2027, 1, 20), at=eastern(2027, 1, 20, 17))


def prepare_for_two_files() -> None:
    """Alice's payments are recorded, and two bank accounts wait for their banks' word."""
    prepare_recorded()
    for number in ("5550001111", "5550002222"):
        make_prenote(make_bank_account(number, valid=False))


def send_two_balanced_files() -> None:
    """17:00 on January 20, to a bank that takes ten lines a file, balanced."""
    with override_settings(ACH_LINES_PER_FILE=10, ACH_OFFSET_ACCOUNT="011000015:99887766:checking"):
        send()


def read(day: int) -> None:
    """07:00 of a day in January."""
    tasks.read_bank(day=date(2027, 1, day), at=eastern(2027, 1, day, 7))


def settle(day: int) -> None:
    """08:00 of a day in January."""
    tasks.settle_due(day=date(2027, 1, day), at=eastern(2027, 1, day, 8))


def prepare_sent() -> None:
    """Alice's payments are at the bank, and acknowledged."""
    prepare_recorded()
    send()
    read(21)


def prepare_settled() -> None:
    """Alice's payments have settled; the return files up to the posting day are read."""
    prepare_sent()
    for day in (21, 22, 25):
        settle(day)
        read(day)
    read(26)


def prepare_sent_to_be_returned() -> None:
    """Alice's payments are at the bank, which will return them."""
    prepare_recorded_on_an_empty_account()
    send()
    read(21)
    settle(21)


def read_returns() -> None:
    """Every return file up to January 26."""
    for day in (22, 25, 26):
        read(day)


def review() -> None:
    """The nightly review of January 24: Alice has not paid, nor has Bob."""
    overdue.review(today=date(2027, 1, 24), at=eastern(2027, 1, 24, 0, 10), run="review_overdue")


def prepare_behind() -> None:
    """Three who were covered since December and have paid nothing since; the warnings of January 1 have gone out."""
    for subsidized in (False, False, True):
        behind.cover(today=date(2025, 12, 2), subsidized=subsidized)
    behind.live(date(2025, 12, 24), date(2026, 1, 29))


def review_behind() -> None:
    """The nights of January 30, when two are listed to be ended, and of February 1, when the third hears again."""
    for day in (date(2026, 1, 30), date(2026, 2, 1)):
        behind.night(day)


def end_listed() -> None:
    """Staff confirm the two, and the exchange ends the third."""
    terminations.confirm_terminations(
        episode_ids=Episode.objects.filter(status="listed").values_list("pk", flat=True),
        by=User.objects.get(),
        today=date(2026, 1, 30),
        at=eastern(2026, 1, 30),
    )
    ends.void_after_ends(today=date(2026, 1, 31), at=eastern(2026, 1, 31, 0, 4))


def prepare_listed() -> None:
    """Two are listed to be ended; the third's coverage was ended by the exchange with December."""
    prepare_behind()
    behind.night(date(2026, 1, 30))
    people.make_staff()
    Enrollment.objects.filter(subsidized=True).update(ends_on=date(2025, 12, 31))


def validate() -> None:
    """The bank accounts that payments wait for."""
    settlement.validate_waiting(today=date(2027, 1, 20), at=eastern(2027, 1, 20, 12))


@pytest.mark.parametrize(
    "every_gap",
    [pytest.param(False, id="commits"), pytest.param(True, id="every gap", marks=pytest.mark.prove)],
)
@pytest.mark.parametrize(
    ("prepare", "work", "effects", "fewest"),
    [
        pytest.param(enroll_alice_and_bob, record_alice, (), 2, id="recording"),
        pytest.param(prepare_recorded, validate, (), 2, id="validating"),
        pytest.param(prepare_recorded, send, BANK_PUT, 2, id="building and sending a file"),
        pytest.param(
            prepare_for_two_files,
            send_two_balanced_files,
            BANK_PUT,
            4,
            id="two files, balanced, with prenotes",
            marks=pytest.mark.prove,
        ),
        pytest.param(prepare_sent, lambda: settle(21), (), 2, id="settling"),
        pytest.param(prepare_settled, lambda: settle(26), (), 2, id="posting"),
        pytest.param(prepare_sent_to_be_returned, read_returns, (), 2, id="reading returns"),
        pytest.param(enroll_alice_and_bob, review, (), 2, id="the nightly review"),
        pytest.param(prepare_behind, review_behind, (), 2, id="following who is behind"),
        pytest.param(prepare_listed, end_listed, (), 2, id="ending coverage"),
        pytest.param(enroll_all, issue, (), 2, id="issuing invoices"),
    ],
)
def test_every_crash_point_leaves_the_books_clean_and_the_work_resumable(
    template_database: str,
    django_db_setup: None,
    django_db_blocker,
    tmp_path: Path,
    prepare: Work,
    work: Work,
    effects: tuple[Effect, ...],
    fewest: int,
    every_gap: bool,
) -> None:
    with django_db_blocker.unblock():
        points = check_every_crash_point(
            template=template_database,
            folder=tmp_path,
            prepare=prepare,
            work=work,
            read_facts=read_facts,
            effects=effects,
            every_gap=every_gap,
        )
    assert points >= fewest
