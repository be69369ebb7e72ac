"""Whose a check of the lockbox is: by its coupons, its Member ID, or its remitter; else a person looks. Nothing is guessed.

Pure: what the books say comes in as `Facts`. A check follows its scan lines; several coupons are followed where they add up.
What names a member with health and dental is split only when it equals what both owed on the day it was received.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from billing.owed import Owed
from billing.scan_line import ScanLine, UnableToReadScanLine, read_scan_line
from connector_pay.lib.money import format_dollars
from payments.channels.lockbox.items import Item
from payments.checks import Share
from payments.models import LockboxWay

NOTHING_SAYS = "Nothing on it names an account."


@dataclass(frozen=True, slots=True)
class Place:
    """An account that money may be put on: whose, of which product, and whether its coverage waits or lives."""

    account_id: int
    member_id: str
    product: str
    is_alive: bool


@dataclass(frozen=True, slots=True)
class Remitter:
    """Where earlier checks of one bank account lie, under the names they bore; `is_known` once staff have placed one."""

    names: frozenset[str]
    account_ids: frozenset[int]
    member_ids: frozenset[str]
    is_known: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What the books say of all that a file names."""

    bills: Mapping[str, Place] = field(default_factory=dict)  # by the number of the invoice
    places: Mapping[str, Sequence[Place]] = field(default_factory=dict)  # by Member ID
    remitters: Mapping[str, Remitter] = field(default_factory=dict)  # by remitter key
    owed: Mapping[int, Owed] = field(default_factory=dict)  # by account


@dataclass(frozen=True, slots=True)
class Match:
    """Where a check goes, and why; without shares it waits for a person."""

    way: LockboxWay
    shares: tuple[Share, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Coupons:
    """Where the coupons lead that came with a check, with the cents that each says; and what is doubtful about others."""

    parts: tuple[tuple[Place, int], ...]
    doubts: tuple[str, ...]


class Matcher:
    """Matches the checks of one file in their order: what an earlier one pays the next no longer owes."""

    def __init__(self, *, facts: Facts) -> None:
        self.facts = facts
        self.paid: dict[int, list[tuple[date, int]]] = {}

    def match(self, *, item: Item, remitter_key: str) -> Match:
        """Where this check goes."""
        found = self._match(item, remitter_key)
        for share in found.shares:
            self.paid.setdefault(share.account_id, []).append((item.received_on, share.cents))
        return found

    def _match(self, item: Item, remitter_key: str) -> Match:
        coupons = self._read_coupons(item)
        if match := self._follow_coupons(item, coupons):
            return match
        doubts = coupons.doubts
        named = dict.fromkeys(item.member_ids or [place.member_id for place, _cents in coupons.parts])
        if match := self._follow_member_ids(item, named):
            return Match(match.way, match.shares, _join(match.why, *doubts))
        if match := self._follow_remitter(item, self.facts.remitters.get(remitter_key)):
            return match
        strange = [f"No member has the Member ID {member_id}." for member_id in named]
        return Match(LockboxWay.QUEUE, why=_join(*strange, *doubts) or NOTHING_SAYS)

    def _read_coupons(self, item: Item) -> Coupons:
        """Where each leads; one that contradicts the books, or was misread, leads nowhere."""
        lines, doubts = read_lines(item.scan_lines)
        found = [(self._find_bill(line), line.amount_cents) for line in lines]
        parts = tuple((place, cents) for place, cents in found if place)
        strange = ("A coupon is of no bill of ours.",) * (len(found) > len(parts))
        return Coupons(parts, (*doubts, *strange))

    def _follow_coupons(self, item: Item, coupons: Coupons) -> Match | None:
        """Every coupon leads to an account: all to the one, or to each what its coupons say where they add up."""
        if not coupons.parts or coupons.doubts:
            return None
        parts: dict[int, int] = {}
        for place, cents in coupons.parts:
            parts[place.account_id] = parts.get(place.account_id, 0) + cents
        if len(parts) == 1:
            return Match(LockboxWay.COUPON, (Share(next(iter(parts)), item.cents),))
        if sum(parts.values()) == item.cents:
            return Match(LockboxWay.COUPON, _list_shares(parts))
        if split := self._split(item, parts, LockboxWay.COUPON):
            return split
        total = format_dollars(sum(parts.values()))
        return Match(LockboxWay.QUEUE, why=f"Its coupons add up to {total}, which is not its amount.")

    def _find_bill(self, line: ScanLine) -> Place | None:
        """The account of the coupon's bill; a bill of another member or product is no bill of this coupon."""
        place = self.facts.bills.get(line.invoice_number)
        is_same = place and (place.member_id, place.product) == (line.member_id, line.product)
        return place if is_same else None

    def _follow_member_ids(self, item: Item, member_ids: Iterable[str]) -> Match | None:
        """One member is named: their one account, or both where the amount is what both owe."""
        known = {member_id for member_id in member_ids if member_id in self.facts.places}
        if not known:
            return None
        if len(known) > 1:
            return Match(LockboxWay.QUEUE, why="It names more than one member.")
        places = [place for place in self.facts.places[known.pop()] if self._can_take(place, item)]
        if not places:
            return Match(LockboxWay.QUEUE, why="The member's coverage is over, and nothing is owed.")
        return self._put_on(item, places, LockboxWay.MEMBER_ID)

    def _follow_remitter(self, item: Item, remitter: Remitter | None) -> Match | None:
        """Staff have placed a check of this bank account and name before, and all of them lie on one member's accounts."""
        if remitter is None or not remitter.is_known or len(remitter.member_ids) != 1:
            return None
        if remitter.names != {fold_name(item.remitter)}:
            return None
        (member_id,) = remitter.member_ids
        places = [
            place
            for place in self.facts.places.get(member_id, ())
            if place.account_id in remitter.account_ids and self._can_take(place, item)
        ]
        if not places:
            return None
        return self._put_on(item, places, LockboxWay.REMITTER)

    def _put_on(self, item: Item, places: Sequence[Place], way: LockboxWay) -> Match:
        account_ids = [place.account_id for place in places]
        if len(places) == 1:
            return Match(way, (Share(account_ids[0], item.cents),))
        # An old debt is never taken out of a payment for new coverage.
        if len({place.product for place in places}) < len(places):
            return Match(LockboxWay.QUEUE, why="The member has more than one account of one product.")
        if split := self._split(item, account_ids, way):
            return split
        owed = sum(self._find_owed(account_id, item) for account_id in account_ids)
        why = f"The member has {len(account_ids)} accounts, and it is not the {format_dollars(owed)} that they owed."
        return Match(LockboxWay.QUEUE, why=why)

    def _split(self, item: Item, account_ids: Iterable[int], way: LockboxWay) -> Match | None:
        """Only when it equals what they owed on the day it was received, to the cent; one of them may owe nothing."""
        owed = {account_id: self._find_owed(account_id, item) for account_id in account_ids}
        if sum(owed.values()) != item.cents:
            return None
        shares = _list_shares(owed)
        return Match(LockboxWay.SPLIT if len(shares) > 1 else way, shares)

    def _can_take(self, place: Place, item: Item) -> bool:
        """Coverage that waits or lives, or an ended one of which something is still owed."""
        return place.is_alive or self._find_owed(place.account_id, item) > 0

    def _find_owed(self, account_id: int, item: Item) -> int:
        owed = self.facts.owed.get(account_id) or Owed()
        money = [*owed.money, *self.paid.get(account_id, ())]
        return Owed(owed.bills, money).find_cents(day=item.received_on)


def read_lines(scan_lines: Iterable[str]) -> tuple[list[ScanLine], list[str]]:
    """What the scan lines say, each once, and why some say nothing."""
    lines, doubts = list[ScanLine](), list[str]()
    for text in dict.fromkeys(scan_lines):
        try:
            lines.append(read_scan_line(text=text))
        except UnableToReadScanLine as error:
            doubts.append(f"A scan line cannot be read: {error}")
    return lines, doubts


def fold_name(name: str) -> str:
    """A name as two papers are compared: without case and points."""
    return " ".join("".join(letter for letter in name.casefold() if letter not in ".,'").split())


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _list_shares(parts: Mapping[int, int]) -> tuple[Share, ...]:
    return tuple(Share(account_id, cents) for account_id, cents in sorted(parts.items()) if cents)
