"""Whose a check is: by its coupons, else its Member ID, else its remitter; split only to the cent; else a person looks."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.owed import Bill, Owed
from billing.scan_line import ScanLine, write_scan_line
from payments.channels.lockbox.items import Item
from payments.channels.lockbox.matching import Facts, Matcher, Place, Remitter
from payments.checks import Share
from payments.models import LockboxWay
from tests.payments.channels.lockbox.depositing import DEPOSITED, make_item

ISSUED = date(2027, 1, 5)
ALICE, BOB = "003400000001", "003400000002"
HEALTH, DENTAL = Place(1, ALICE, "health", is_alive=True), Place(2, ALICE, "dental", is_alive=True)
OLD, OVER = Place(3, BOB, "health", is_alive=False), Place(4, BOB, "health", is_alive=True)
KEY = "a key"


def owe(cents: int, issued_on: date = ISSUED) -> Owed:
    return Owed([Bill(cents, issued_on)])


FACTS = Facts(
    bills={"0000000011": HEALTH, "0000000012": DENTAL, "0000000013": OLD},
    places={ALICE: (HEALTH, DENTAL), BOB: (OLD, OVER)},
    owed={1: owe(100_00), 2: owe(30_00)},
)
ALICE_REMITS = Remitter(frozenset({"alice alvarez"}), frozenset({1}), frozenset({ALICE}), is_known=True)


def coupon(member_id: str, product: str, number: int, cents: int) -> str:
    return write_scan_line(line=ScanLine(member_id, product, f"{number:010d}", cents))


H, D = coupon(ALICE, "health", 11, 100_00), coupon(ALICE, "dental", 12, 30_00)


def match(facts: Facts = FACTS, **said: object) -> tuple[str, list[tuple[int, int]]]:
    """Where it goes: the way, and the cents of each account."""
    found = Matcher(facts=facts).match(item=make_item(**said), remitter_key=KEY)
    return found.way, [(share.account_id, share.cents) for share in found.shares]


QUEUED = (LockboxWay.QUEUE, [])


@pytest.mark.parametrize(
    ("said", "goes"),
    [
        ({"cents": 60_00, "scan_lines": (H,)}, ("coupon", [(1, 60_00)])),
        ({"cents": 130_00, "scan_lines": (H, D)}, ("coupon", [(1, 100_00), (2, 30_00)])),
        ({"cents": 100_00, "scan_lines": (H, H)}, ("coupon", [(1, 100_00)])),
        ({"cents": 120_00, "scan_lines": (H, D)}, QUEUED),
        ({"cents": 100_00, "scan_lines": (H,), "member_ids": (BOB,)}, ("coupon", [(1, 100_00)])),
        ({"cents": 50_00, "scan_lines": (coupon(BOB, "health", 13, 50_00),)}, ("coupon", [(3, 50_00)])),
    ],
)
def test_a_check_follows_its_coupons_where_they_add_up(said: dict[str, object], goes: object) -> None:
    assert match(**said) == goes


@pytest.mark.parametrize("place", range(34))
def test_a_scan_line_with_one_digit_misread_leads_nowhere(place: int) -> None:
    misread = H[:place] + str((int(H[place]) + 1) % 10) + H[place + 1 :]
    assert match(cents=100_00, scan_lines=(misread,)) == QUEUED
    assert match(cents=130_00, scan_lines=(misread, D)) == ("split", [(1, 100_00), (2, 30_00)])
    assert match(cents=100_00, scan_lines=(misread, D)) == QUEUED


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (coupon(BOB, "health", 11, 100_00), "it is another member's bill"),
        (coupon(ALICE, "dental", 11, 100_00), "it is another product's bill"),
        (coupon(ALICE, "health", 99, 100_00), "there is no such bill"),
    ],
)
def test_a_coupon_that_contradicts_the_books_leads_nowhere(line: str, why: str) -> None:
    assert match(cents=100_00, scan_lines=(line,)) == QUEUED, why


class TestByMemberId:
    @pytest.mark.parametrize(
        ("cents", "goes"),
        [
            (130_00, ("split", [(1, 100_00), (2, 30_00)])),
            (129_99, QUEUED),
            (130_01, QUEUED),
            (120_00, QUEUED),
            (100_00, QUEUED),
        ],
    )
    def test_health_and_dental_are_split_only_to_the_cent(self, cents: int, goes: object) -> None:
        assert match(cents=cents, member_ids=(ALICE,)) == goes

    def test_one_account_takes_it_whatever_the_amount(self) -> None:
        facts = replace(FACTS, places={ALICE: (HEALTH,)})
        assert match(facts, cents=12_34, member_ids=(ALICE,)) == ("member_id", [(1, 12_34)])

    def test_where_only_one_product_owes_it_takes_what_both_owe(self) -> None:
        facts = replace(FACTS, owed={1: owe(100_00)})
        assert match(facts, cents=100_00, member_ids=(ALICE,)) == ("member_id", [(1, 100_00)])

    def test_what_was_owed_on_the_day_of_receipt_counts(self) -> None:
        late = replace(FACTS, owed={1: owe(100_00), 2: owe(30_00, DEPOSITED + timedelta(1))})
        assert match(late, cents=130_00, member_ids=(ALICE,)) == QUEUED
        today = replace(FACTS, owed={1: owe(100_00), 2: owe(30_00, DEPOSITED)})
        assert match(today, cents=130_00, member_ids=(ALICE,)) == ("split", [(1, 100_00), (2, 30_00)])

    def test_of_two_equal_checks_in_one_file_the_second_finds_nothing_owed(self) -> None:
        matcher, item = Matcher(facts=FACTS), make_item(cents=130_00, member_ids=(ALICE,))
        ways = [matcher.match(item=item, remitter_key="").way for _ in range(2)]
        assert ways == [LockboxWay.SPLIT, LockboxWay.QUEUE]

    def test_an_old_debt_is_not_taken_out_of_a_payment_for_new_coverage(self) -> None:
        assert match(cents=50_00, member_ids=(BOB,)) == ("member_id", [(4, 50_00)])
        owing = replace(FACTS, owed={3: owe(20_00), 4: owe(30_00)})
        assert match(owing, cents=50_00, member_ids=(BOB,)) == QUEUED

    def test_ended_coverage_takes_what_it_still_owes_and_nothing_else(self) -> None:
        ended = replace(FACTS, places={BOB: (OLD,)}, owed={3: owe(20_00)})
        assert match(ended, cents=20_00, member_ids=(BOB,)) == ("member_id", [(3, 20_00)])
        assert match(replace(ended, owed={}), cents=20_00, member_ids=(BOB,)) == QUEUED

    def test_two_members_or_none_are_for_a_person(self) -> None:
        assert match(cents=130_00, member_ids=(ALICE, BOB)) == QUEUED
        assert match(cents=130_00, member_ids=("009900000000",)) == QUEUED


class TestByRemitter:
    @pytest.mark.parametrize(
        ("remitter", "goes"),
        [
            (ALICE_REMITS, ("remitter", [(1, 77_00)])),
            (replace(ALICE_REMITS, is_known=False), QUEUED),
            (replace(ALICE_REMITS, member_ids=frozenset({ALICE, BOB})), QUEUED),
            (replace(ALICE_REMITS, names=frozenset({"harborlight bank"})), QUEUED),
            (replace(ALICE_REMITS, account_ids=frozenset({1, 2})), QUEUED),
        ],
    )
    def test_is_followed_once_staff_placed_one_of_that_account_and_name(
        self, remitter: Remitter, goes: object
    ) -> None:
        facts = replace(FACTS, remitters={KEY: remitter})
        assert match(facts, cents=77_00, remitter="Alice  Alvarez.") == goes

    def test_what_is_written_on_the_check_goes_before_it(self) -> None:
        facts = replace(FACTS, remitters={KEY: ALICE_REMITS})
        assert match(facts, cents=77_00, member_ids=(ALICE,)) == QUEUED


def test_why_it_waits_is_said_for_staff() -> None:
    def say(**said: object) -> str:
        item: Item = make_item(**said)
        return Matcher(facts=FACTS).match(item=item, remitter_key="").why

    assert say() == "Nothing on it names an account."
    assert say(member_ids=("009900000000",)) == "No member has the Member ID 009900000000."
    assert say(cents=120_00, scan_lines=(H, D)) == "Its coupons add up to $130.00, which is not its amount."
    assert "it is not the $130.00 that they owed" in say(cents=120_00, member_ids=(ALICE,))
    assert "check digit" in say(scan_lines=(H[:-1] + str((int(H[-1]) + 1) % 10),))


def test_shares_add_up_whatever_comes() -> None:
    for cents in (1, 100_00, 130_00, 999_99):
        for said in ({"member_ids": (ALICE,)}, {"scan_lines": (H, D)}, {"scan_lines": (D,)}):
            shares: tuple[Share, ...] = (
                Matcher(facts=FACTS).match(item=make_item(cents=cents, **said), remitter_key="").shares
            )
            assert sum(share.cents for share in shares) in (0, cents)
