"""Suggestions for unmatched money: the accounts that it may be for, ranked, each with its reasons; a person decides.

`rank_places` is pure. What a check and its coupons say is held against the members whose Member ID is the same or one slip of the
pen away, whose name is on it, or whose accounts took earlier checks of the same remitter.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from billing.models import Account, Receipt
from billing.owed import Owed, read_owed
from billing.scan_line import LENGTH as SCAN_LINE_LENGTH
from billing.scan_line import PRODUCT_DIGITS
from connector_pay.lib.money import format_dollars
from members import member_id
from members.models import EnrollmentStatus, Member
from payments.channels.lockbox.items import sort_words
from payments.models import CheckShare, LockboxItem, ReceivedCheck

MOST_SHOWN = 5
MOST_OF_A_NAME = 200  # members of one last name that are looked at
ALIVE = (EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE)
# What each reason weighs.
SAME_ID, NEAR_ID, SAME_REMITTER, SAME_NAME, NEAR_NAME, SAME_AMOUNT, SAME_PRODUCT = 50, 40, 35, 30, 15, 20, 5


@dataclass(frozen=True, slots=True)
class Paper:
    """What is written on a check and its coupons: who wrote it, how much, the Member IDs, and the products of coupons."""

    payer: str
    cents: int
    member_ids: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that the money may be for, what it owed on the day the check came, and whether its remitter is known here."""

    account_id: int
    member_id: str
    first_name: str
    last_name: str
    product: str
    plan_name: str
    is_alive: bool
    owed_cents: int
    is_remitters: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An account, and why the money may be for it, the strongest reason first."""

    account: Candidate
    score: int
    reasons: tuple[str, ...]


def suggest_accounts(*, check: ReceivedCheck) -> list[Suggestion]:
    """The accounts that a check which waits may be for, the likeliest first."""
    paper = _read_paper(check)
    remitters = _find_remitters_accounts(check)
    alike = Q(enrollment__member__member_id__in=_list_near(paper.member_ids)) | Q(pk__in=remitters)
    named = _find_named(paper.payer)
    accounts = Account.objects.filter(alike | Q(enrollment__member__in=named))
    found = list(accounts.select_related("enrollment__member", "enrollment__plan").order_by("pk"))
    owed = read_owed(account_ids=[account.pk for account in found])
    candidates = [_make_candidate(account, owed, remitters, check) for account in found]
    return rank_places(paper=paper, candidates=candidates)


def rank_places(*, paper: Paper, candidates: Iterable[Candidate]) -> list[Suggestion]:
    """Those with a reason beyond the amount, the weightiest first; over and settled accounts are left out."""
    listed = [item for item in candidates if item.is_alive or item.owed_cents]
    together: defaultdict[str, int] = defaultdict(int)
    for item in listed:
        together[item.member_id] += item.owed_cents
    found = [_weigh(paper, item, together[item.member_id]) for item in listed]
    ranked = sorted(found, key=lambda item: (-item.score, item.account.account_id))
    return [item for item in ranked if item.score >= NEAR_NAME and item.reasons][:MOST_SHOWN]


def is_near(*, one: str, other: str) -> bool:
    """Whether two Member IDs differ by one digit, or by two neighbors that changed places."""
    places = [place for place in range(len(one)) if one[place] != other[place]]
    if len(places) == 2:
        first, second = places
        return second == first + 1 and (one[first], one[second]) == (other[second], other[first])
    return len(places) == 1


def _weigh(paper: Paper, item: Candidate, together: int) -> Suggestion:
    reasons = [*_weigh_id(paper, item), *_weigh_name(paper, item)]
    if item.is_remitters:
        reasons.append((SAME_REMITTER, "An earlier check of this remitter was put here."))
    if reasons:
        reasons += _weigh_amount(paper, item, together)
    reasons.sort(key=lambda reason: -reason[0])
    return Suggestion(item, sum(weight for weight, _ in reasons), tuple(words for _, words in reasons))


def _weigh_id(paper: Paper, item: Candidate) -> list[tuple[int, str]]:
    if item.member_id in paper.member_ids:
        found = [(SAME_ID, "It names this Member ID.")]
        return found + [(SAME_PRODUCT, "Its coupon is of this product.")] * (item.product in paper.products)
    near = [written for written in paper.member_ids if is_near(one=written, other=item.member_id)]
    return [(NEAR_ID, f"It names the Member ID {near[0]}: one slip away from this one.")] if near else []


def _weigh_name(paper: Paper, item: Candidate) -> list[tuple[int, str]]:
    words = set(_fold(paper.payer))
    first, last = _fold(item.first_name), _fold(item.last_name)
    if not last or not first or not set(last) <= words:
        return []
    if set(first) <= words:
        return [(SAME_NAME, "The payer has the member's name.")]
    initials = {word[0] for word in words - set(last)}
    return [(NEAR_NAME, "The payer's name is like the member's.")] if first[0][0] in initials else []


def _weigh_amount(paper: Paper, item: Candidate, together: int) -> list[tuple[int, str]]:
    if item.owed_cents == paper.cents:
        return [(SAME_AMOUNT, f"It is what was owed on the day it came, {format_dollars(paper.cents)}.")]
    if together == paper.cents:
        return [
            (SAME_AMOUNT, f"It is what all plans of the member owed together, {format_dollars(together)}.")
        ]
    return []


def _fold(name: str) -> list[str]:
    """The words of a name, without case and points."""
    return "".join(" " if letter in ".,'-" else letter for letter in name.casefold()).split()


def _read_paper(check: ReceivedCheck) -> Paper:
    item = LockboxItem.objects.filter(received_check=check).first()
    words = sort_words(item.words.split() if item else [])
    lines = [line for line in words.scan_lines if len(line) == SCAN_LINE_LENGTH]
    products = {digit: product for product, digit in PRODUCT_DIGITS.items()}
    return Paper(
        payer=check.payer,
        cents=check.cents,
        member_ids=frozenset([*words.member_ids, *(line[: member_id.LENGTH] for line in lines)]),
        products=frozenset(products.get(line[member_id.LENGTH], "") for line in lines),
    )


def _list_near(member_ids: Iterable[str]) -> list[str]:
    """Each Member ID, and all that are one slip away."""
    near = set(member_ids)
    for written in member_ids:
        for place in range(len(written)):
            near |= {written[:place] + digit + written[place + 1 :] for digit in "0123456789"}
            near.add(written[:place] + written[place : place + 2][::-1] + written[place + 2 :])
    return sorted(near)


def _find_named(payer: str) -> Sequence[int]:
    """Members whose last name is one of the payer's words, as names are written."""
    written = {shape for word in payer.split() for shape in (word, word.title(), word.capitalize())}
    found = Member.objects.filter(last_name__in=written).order_by("pk")
    return list(found.values_list("pk", flat=True)[:MOST_OF_A_NAME])


def _find_remitters_accounts(check: ReceivedCheck) -> frozenset[int]:
    """Where earlier checks of the same bank account lie now."""
    if not check.remitter_key:
        return frozenset()
    shares = CheckShare.objects.filter(received_check__remitter_key=check.remitter_key)
    references = [share.reference for share in shares.order_by("-pk")[:MOST_OF_A_NAME]]
    lying = Receipt.objects.filter(reference__in=references, taken_back_on=None)
    return frozenset(lying.values_list("account_id", flat=True))


def _make_candidate(
    account: Account, owed: Mapping[int, Owed], remitters: frozenset[int], check: ReceivedCheck
) -> Candidate:
    member, plan = account.enrollment.member, account.enrollment.plan
    return Candidate(
        account_id=account.pk,
        member_id=member.member_id,
        first_name=member.first_name,
        last_name=member.last_name,
        product=plan.product,
        plan_name=plan.name,
        is_alive=account.enrollment.status in ALIVE,
        owed_cents=owed.get(account.pk, Owed()).find_cents(day=check.received_on),
        is_remitters=account.pk in remitters,
    )
