"""A whole lockbox day: posted, split and queued as expected, the accounts, the queue and the ledger together the deposit."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import Sum

from billing.invoices import issue_missing
from billing.ledger import read_balance
from billing.models import Account, Chart, Invoice, Receipt
from billing.scan_line import ScanLine, write_scan_line
from members.models import Enrollment, Member, PremiumRate
from payments import unmatched
from payments.channels.lockbox.items import Item
from payments.channels.lockbox.posting import describe_outcome, preview_file
from payments.checks import bank_due
from payments.models import LockboxWay
from tests.bench.exchange import ENROLLED, PREMIUM, START, enroll
from tests.payments.channels.lockbox.depositing import DEPOSITED, import_items, make_item, write_file
from tests.payments.paying import noon
from tests.people import make_plan

pytestmark = pytest.mark.usefixtures("books")
DENTAL = 31_50
# Of every twenty members, the last two have dental too. What the n-th of twenty writes on the check:
COUPON, MEMBER_ID, BOTH, SHORT, NOTHING = range(15), range(15, 17), {18}, {19}, {17}
DEPOSIT_DAY = DEPOSITED + timedelta(1)


def enroll_dental(members: list[Member]) -> None:
    """A dental plan for these."""
    plan, at = make_plan(product="dental"), noon(ENROLLED)
    enrollments = Enrollment.objects.bulk_create(
        Enrollment(
            external_id=f"D{member.member_id[3:]}",
            member=member,
            plan=plan,
            requested_start=START,
            coverage_start=START,
            window_ends=START + timedelta(60),
            enrolled_at=at,
        )
        for member in members
    )
    PremiumRate.objects.bulk_create(
        PremiumRate(enrollment=item, from_month=START, premium_cents=DENTAL, subsidy_cents=0, recorded_at=at)
        for item in enrollments
    )


def fill_envelopes(count: int) -> list[Item]:
    """So many members, billed, and one check of each."""
    enroll(count=count)
    members = list(Member.objects.order_by("pk"))
    enroll_dental([member for place, member in enumerate(members) if place % 20 in BOTH | SHORT])
    issue_missing(today=ENROLLED, at=noon(ENROLLED))
    bills = Invoice.objects.filter(account__enrollment__plan__product="health").select_related(
        "account__enrollment__member"
    )
    lines = {
        bill.account.enrollment.member.member_id: write_scan_line(
            line=ScanLine(bill.account.enrollment.member.member_id, "health", bill.number, bill.amount_cents)
        )
        for bill in bills
    }
    return [
        write_check(place, member.member_id, lines[member.member_id]) for place, member in enumerate(members)
    ]


def write_check(place: int, member_id: str, line: str) -> Item:
    """What this member mails."""
    facts = {"check_number": str(place + 1), "account_number": str(2_000_000_000 + place)}
    among = place % 20
    if among in COUPON:
        return make_item(scan_lines=(line,), **facts)
    if among in MEMBER_ID:
        return make_item(member_ids=(member_id,), **facts)
    if among in NOTHING:
        return make_item(**facts)
    cents = PREMIUM + DENTAL if among in BOTH else PREMIUM + DENTAL - 1
    return make_item(member_ids=(member_id,), cents=cents, **facts)


@pytest.mark.parametrize(
    "count", [pytest.param(100, id="100"), pytest.param(5_000, id="5,000", marks=pytest.mark.prove)]
)
def test_every_check_is_where_it_belongs_and_every_cent_in_the_books(count: int) -> None:
    items = fill_envelopes(count)
    twentieth = count // 20
    expected = {
        LockboxWay.COUPON: (15 * twentieth, 15 * twentieth * PREMIUM),
        LockboxWay.MEMBER_ID: (2 * twentieth, 2 * twentieth * PREMIUM),
        LockboxWay.SPLIT: (twentieth, twentieth * (PREMIUM + DENTAL)),
        LockboxWay.QUEUE: (2 * twentieth, twentieth * (2 * PREMIUM + DENTAL - 1)),
    }
    foreseen = preview_file(data=write_file(*items), today=DEPOSITED)
    file = import_items(*items)
    found = describe_outcome(file=file)
    assert foreseen == found
    assert {part.way: (part.count, part.cents) for part in found.parts} == expected
    deposit = sum(item.cents for item in items)
    counted = Receipt.objects.aggregate(cents=Sum("cents"))["cents"]
    waiting = unmatched.find_unmatched().aggregate(cents=Sum("cents"))["cents"]
    assert counted + waiting == file.cents == found.cents == deposit
    assert -read_balance(chart=Chart.SUSPENSE) == waiting == expected[LockboxWay.QUEUE][1]
    bank_due(today=DEPOSIT_DAY, at=noon(DEPOSIT_DAY))
    assert read_balance(chart=Chart.BANK) == deposit
    each = Counter(Receipt.objects.values_list("account__enrollment__plan__product", "cents"))
    assert each == {("health", PREMIUM): 18 * twentieth, ("dental", DENTAL): twentieth}
    assert Account.objects.filter(receipts=None).count() == count * 22 // 20 - 19 * twentieth
