"""The code on a bill: the same each time it is drawn, gone when it expires or is revoked, nowhere in the database."""

from datetime import date, timedelta

import pytest
from django.core.serializers import serialize

from billing.bill_links import (
    CODE,
    UnableToFindLink,
    ensure_links,
    find_link,
    format_code,
    revoke_links,
    write_address,
)
from billing.models import BillLink, Invoice
from billing.policy import read_policy
from tests.billing.books import ENROLLED, make_account, noon
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("books")
LAST_DAY = ENROLLED + timedelta(days=read_policy().bill_link_days)


def make(*invoice_ids: int, today: date = ENROLLED) -> dict[int, str]:
    return ensure_links(invoice_ids=invoice_ids, today=today, at=noon(today))


@pytest.fixture
def invoice() -> Invoice:
    return Invoice.objects.get(account=make_account())


def test_a_bill_drawn_twice_shows_the_same_code(invoice: Invoice) -> None:
    code = make(invoice.pk)[invoice.pk]
    assert CODE.fullmatch(code)
    assert make(invoice.pk) == {invoice.pk: code}
    assert BillLink.objects.count() == 1


def test_every_bill_has_a_code_of_its_own_in_as_many_statements_as_one(django_assert_num_queries) -> None:
    ids = [Invoice.objects.get(account=make_account()).pk for _ in range(5)]
    make(ids[0])
    with django_assert_num_queries(6):  # savepoint, expire, read, make, read again, release
        codes = make(*ids)
    assert len(set(codes.values())) == 5
    with django_assert_num_queries(4):
        assert make(*ids) == codes


def test_it_is_found_however_it_is_typed(invoice: Invoice) -> None:
    code = make(invoice.pk)[invoice.pk]
    misread = code.replace("O", "0").replace("I", "1").replace("B", "8").replace("G", "9")
    for typed in (code, format_code(code), f" {format_code(code).lower()} ", code.replace("-", "–"), misread):
        assert find_link(code=typed, today=ENROLLED).invoice_id == invoice.pk
    assert write_address(code=code).endswith(f"/b/{format_code(code)}/")


@pytest.mark.parametrize("typed", ["", "A" * 20, "A" * 21, "ABCDE", "é" * 20, "A" * 5000, "'; --"])
def test_what_is_no_code_finds_nothing(invoice: Invoice, typed: str) -> None:
    make(invoice.pk)
    with pytest.raises(UnableToFindLink):
        find_link(code=typed, today=ENROLLED)


def test_it_opens_until_its_last_day_and_is_then_replaced_by_a_new_one(invoice: Invoice) -> None:
    code = make(invoice.pk)[invoice.pk]
    after = LAST_DAY + timedelta(days=1)
    assert find_link(code=code, today=LAST_DAY).opens
    assert not find_link(code=code, today=after).opens
    assert make(invoice.pk, today=LAST_DAY)[invoice.pk] == code
    new = make(invoice.pk, today=after)[invoice.pk]
    assert new != code
    assert not find_link(code=code, today=ENROLLED).opens
    assert find_link(code=new, today=after).opens


def test_a_revoked_code_opens_nothing_and_the_bill_gets_another(invoice: Invoice) -> None:
    code = make(invoice.pk)[invoice.pk]
    by, another = make_staff(), make_staff()
    assert revoke_links(invoice_ids=[invoice.pk], by=by, at=noon(ENROLLED)) == 1
    assert revoke_links(invoice_ids=[invoice.pk], by=another, at=noon(ENROLLED)) == 0
    assert BillLink.objects.get().revoked_by == by
    assert not find_link(code=code, today=ENROLLED).opens
    assert make(invoice.pk)[invoice.pk] != code


def test_a_copy_of_the_database_opens_no_bill(invoice: Invoice, settings) -> None:
    code = make(invoice.pk)[invoice.pk]
    assert code not in serialize("json", BillLink.objects.all())
    settings.BLIND_INDEX_KEY = "dGhlIHRoaWVmJ3Mgb3duIGtleSwgd2hpY2ggaXMgMzI="
    assert make(invoice.pk)[invoice.pk] != code
