"""A guest without the date of birth walks the whole road and reads the same words, whatever the account's state."""

import re
import time
from datetime import date

import pytest
from django.test import Client

from billing.invoices import issue_missing
from connector_pay.lib import clock
from members.models import Member
from payments.channels import guest
from payments.models import Payment
from tests import people
from tests.billing.correcting import make_override
from tests.diary import eastern
from tests.payments.payers import (
    authorize,
    fill_bank,
    find_account,
    find_as_guest,
    go_to_review,
    make_household,
    read,
    sign_in,
    start,
)

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]
OURS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[2-9A-HJKMNP-Z]{5}-[2-9A-HJKMNP-Z]{5}\b|\d{4} \d{4} \d{4}")


def walk(member: Member, amount: str = "284.17", born: date | None = None) -> list[str]:
    """Every page of the road as text, with ids, confirmation numbers and the Member ID that was typed taken out."""
    client, pages = Client(), []

    def see(answer) -> str:
        pages.append(f"{answer.status_code} {OURS.sub('#', read(answer))}")
        return OURS.sub("#", answer.headers.get("Location", "")) and answer.headers["Location"]

    first = see(find_as_guest(client, member.member_id, born))
    see(client.get(first))
    bank = see(client.post(first, {"product": "health", "amount": amount}))
    see(client.get(bank))
    review = see(client.post(bank, fill_bank()))
    page = client.get(review)
    see(page)
    done = see(authorize(client, review, page))
    see(client.get(done))
    number = Payment.objects.latest("pk").confirmation_number
    see(client.get(f"/receipts/{number}/"))
    see(client.get(f"/receipts/{number}/cancel/"))
    see(client.post(f"/receipts/{number}/cancel/"))
    see(client.get(f"/receipts/{number}/"))
    return pages


def make_paid() -> Member:
    """Somebody who has paid all, by the very amount the guest types."""
    member = make_household()
    client = sign_in(member)
    authorize(client, go_to_review(client, start(client), {}))
    return member


def make_small() -> Member:
    """Somebody who owes $1.50."""
    member = people.make_member()
    people.make_enrollment(member=member, premium_cents=1_50)
    issue_missing(today=clock.today(), at=clock.now())
    return member


def make_extended() -> Member:
    """Somebody with a later due date of their own."""
    member = make_household()
    account = find_account(member)
    make_override(
        account=account,
        coverage_month=date(2027, 2, 1),
        due_date=date(2027, 1, 31),
        reason="by letter",
        recorded_at=clock.now(),
    )
    return member


def make_active() -> Member:
    """Somebody covered since long ago, behind with a month."""
    member = people.make_member()
    people.make_enrollment(
        member=member, requested_start=date(2026, 12, 1), status="active", subsidy_cents=100_00
    )
    issue_missing(today=clock.today(), at=clock.now())
    return member


@pytest.mark.parametrize("make_other", [make_paid, make_small, make_extended, make_active])
@pytest.mark.parametrize("amount", ["284.17", "9000.00", "1.00"])
def test_every_page_reads_the_same(make_other, amount: str) -> None:
    assert walk(make_other(), amount) == walk(make_household(), amount)


def test_the_comparison_can_see_a_difference() -> None:
    """With the date of birth, what is due shows."""
    born = date(1986, 4, 9)
    pages = []
    for member in (make_household(), make_paid()):
        client = Client()
        pages.append(read(client.get(find_as_guest(client, member.member_id, born)["Location"])))
    assert pages[0] != pages[1]
    assert "$284.17" in pages[0]


def test_a_due_amount_a_name_or_a_plan_is_on_no_page() -> None:
    member = make_household(first_name="Xanthippe", last_name="Quill")
    words = " ".join(walk(member, "50.00"))
    for hidden in ("Xanthippe", "Quill", "$284.17", "Harborlight", "January 23", "1986"):
        assert hidden not in words


def test_a_miss_of_the_product_reads_the_same_whoever_has_it_not() -> None:
    pages = set()
    for has_expired in (False, True):
        member = make_household()
        if has_expired:
            people.make_enrollment(member=member, product="dental", status="expired")
            issue_missing(today=clock.today(), at=clock.now())
        client = Client()
        amount = find_as_guest(client, member.member_id)["Location"]
        pages.add(read(client.post(amount, {"product": "dental", "amount": "50.00"})))
    assert len(pages) == 1


def test_no_kind_of_miss_is_told_by_a_quicker_answer() -> None:
    member = make_household(phone="+16175550100")
    make_household(phone="+16175550111")
    people.make_member(phone="+16175550111")
    took = []
    for typed, born in (
        ("002999999999", None),
        (member.member_id, date(1986, 4, 10)),
        ("6175550111", None),
        ("my bill", None),
    ):
        began = time.perf_counter()
        assert find_as_guest(Client(), typed, born).status_code == 200
        took.append(time.perf_counter() - began)
    assert min(took) >= guest.MISS_SECONDS


def test_dates_of_birth_cannot_be_tried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest.machine, "sleep", lambda seconds: None)
    member, seen = make_household(), []
    for day in range(1, 26):
        answer = find_as_guest(Client(REMOTE_ADDR=f"192.0.2.{day}"), member.member_id, date(1986, 4, day))
        seen.append(answer.status_code)
    assert seen[:8] == [200] * 8
    assert seen[8] == 303  # the right one, the 9th: still within the limit
    answer = find_as_guest(client := Client(), member.member_id, member.date_of_birth)
    assert "$284.17" not in read(client.get(answer["Location"]))
