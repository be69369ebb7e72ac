"""Suggestions for unmatched money: ranked by what is on the paper, each with its reasons; nothing by the amount alone."""

from dataclasses import replace

import pytest

from billing.models import Account
from payments import unmatched
from payments.checks import Share
from payments.models import ReceivedCheck
from payments.suggestions import Candidate, Paper, is_near, rank_places, suggest_accounts
from tests import people
from tests.payments.channels.lockbox.depositing import DEPOSITED, import_items, make_item
from tests.payments.paying import PREMIUM, make_account, noon

ALICE = Candidate(1, "003400000001", "Alice", "Alvarez", "health", "Silver", is_alive=True, owed_cents=100_00)
DENTAL = replace(ALICE, account_id=2, product="dental", owed_cents=30_00)
BOB = replace(ALICE, account_id=3, member_id="003400000555", first_name="Bob", last_name="O'Hara")
PAPER = Paper("SOMEBODY ELSE", 77_00)


def rank(paper: Paper, *candidates: Candidate) -> list[tuple[int, tuple[str, ...]]]:
    return [
        (item.account.account_id, item.reasons) for item in rank_places(paper=paper, candidates=candidates)
    ]


@pytest.mark.parametrize(
    ("other", "near"),
    [
        ("003400000001", False),
        ("003400000002", True),
        ("903400000001", True),
        ("003400000010", True),
        ("003400000012", False),
        ("003400001000", False),
    ],
)
def test_a_slip_is_one_digit_or_two_neighbors_changed(other: str, near: bool) -> None:
    assert is_near(one="003400000001", other=other) is near


def test_an_amount_alone_suggests_nobody() -> None:
    assert rank(replace(PAPER, cents=100_00), ALICE, BOB) == []


@pytest.mark.parametrize(
    ("payer", "reasons"),
    [
        ("Alvarez, Alice", ("The payer has the member's name.",)),
        ("A ALVAREZ", ("The payer's name is like the member's.",)),
        ("ROSA ALVAREZ", None),
        ("ALICE", None),
    ],
)
def test_a_name_counts_by_its_words(payer: str, reasons: tuple[str, ...] | None) -> None:
    assert rank(replace(PAPER, payer=payer), ALICE) == ([(1, reasons)] if reasons else [])


def test_the_member_id_weighs_more_than_a_name_and_the_amount_tells_plans_apart() -> None:
    paper = Paper("BOB O'HARA", 30_00, frozenset({"003400000001"}))
    found = rank(paper, ALICE, DENTAL, BOB)
    assert [account for account, _ in found] == [2, 1, 3]
    assert found[0][1] == (
        "It names this Member ID.",
        "It is what was owed on the day it came, $30.00.",
    )


def test_what_both_plans_owe_together_is_said_of_both() -> None:
    found = rank(Paper("A", 130_00, frozenset({"003400000001"})), ALICE, DENTAL)
    assert all("It is what all plans of the member owed together, $130.00." in why for _, why in found)


def test_coverage_that_is_over_and_settled_is_left_out() -> None:
    paper = Paper("Alice Alvarez", 1_00)
    assert rank(paper, replace(ALICE, is_alive=False, owed_cents=0)) == []
    assert rank(paper, replace(ALICE, is_alive=False)) != []


@pytest.mark.usefixtures("books")
class TestInTheBooks:
    def test_found_by_a_slip_a_name_and_an_earlier_check(self) -> None:
        account, other = make_account(), make_account()
        self.place_one(other)
        slip = "9" + account.enrollment.member.member_id[1:]
        import_items(make_item(check_number="9", member_ids=(slip,), remitter="ROSA DELGADO", memo="x"))
        found = suggest_accounts(check=ReceivedCheck.objects.latest("pk"))
        assert [(item.account.account_id, item.account.owed_cents) for item in found] == [
            (account.pk, PREMIUM),
            (other.pk, 0),
        ]
        assert "An earlier check of this remitter was put here." in found[1].reasons

    @staticmethod
    def place_one(account: Account) -> None:
        """A check of the same bank account that staff placed."""
        import_items(make_item(remitter="ROSA DELGADO"))
        check = ReceivedCheck.objects.get()
        unmatched.match_check(
            check_id=check.pk,
            shares=[Share(account.pk, check.cents)],
            by=people.make_staff(),
            why="she called",
            today=DEPOSITED,
            at=noon(DEPOSITED),
        )
