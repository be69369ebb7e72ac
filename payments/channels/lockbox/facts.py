"""What the books say of all that a lockbox file names: its bills, its members' accounts, its remitters."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from billing.models import Account, Invoice, Receipt, format_invoice_number
from billing.owed import read_owed
from connector_pay.lib.sealed import blind_index
from members.models import EnrollmentStatus
from payments.channels.lockbox.items import Item
from payments.channels.lockbox.matching import Facts, Place, Remitter, fold_name, read_lines
from payments.models import CheckKind, CheckShare, CheckStatus, LockboxWay

ALIVE = (EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE)
STANDING = (CheckStatus.RECEIVED, CheckStatus.CLEARED)
PLACE_COLUMNS = ("pk", "enrollment__member__member_id", "enrollment__plan__product", "enrollment__status")


def read_facts(*, items: Iterable[Item], remitter_keys: Iterable[str]) -> Facts:
    """All that the items name, and for each account what it owed on any day."""
    found = list(items)
    lines = [line for item in found for line in read_lines(item.scan_lines)[0]]
    member_ids = {line.member_id for line in lines} | {key for item in found for key in item.member_ids}
    bills = _read_bills({line.invoice_number for line in lines})
    remitters = _read_remitters(set(remitter_keys) - {""})
    places = _read_places(member_ids | {key for item in remitters.values() for key in item.member_ids})
    accounts = {place.account_id for of_member in places.values() for place in of_member}
    accounts |= {place.account_id for place in bills.values()}
    return Facts(bills, places, remitters, read_owed(account_ids=accounts))


def list_accounts(facts: Facts) -> set[int]:
    """Every account that a check may be put on."""
    places = [*facts.bills.values(), *(place for places in facts.places.values() for place in places)]
    return {place.account_id for place in places}


def make_remitter_key(*, item: Item) -> str:
    """What tells checks of one bank account, without the number; empty where it is none of the remitter's own."""
    if item.kind != CheckKind.CHECK:
        return ""
    return make_account_key(routing_number=item.routing_number, account_number=item.account_number)


def make_account_key(*, routing_number: str, account_number: str) -> str:
    """What tells checks of this bank account, without the number; empty where the account is not said."""
    is_said = routing_number.strip("0") and account_number
    return blind_index(value=f"check {routing_number}:{account_number}") if is_said else ""


def _read_bills(numbers: Iterable[str]) -> dict[str, Place]:
    """The accounts of bills, by the ten digits of the bill; replaced bills too: their coupons are in people's drawers."""
    rows = Invoice.objects.filter(pk__among=[int(number) for number in numbers])
    columns = [f"account__{column}" for column in PLACE_COLUMNS]
    return {
        format_invoice_number(invoice_id=key): _make_place(*place)
        for key, *place in rows.values_list("pk", *columns)
    }


def _read_places(member_ids: Iterable[str]) -> dict[str, list[Place]]:
    places: defaultdict[str, list[Place]] = defaultdict(list)
    accounts = Account.objects.filter(enrollment__member__member_id__among=list(member_ids)).order_by("pk")
    for row in accounts.values_list(*PLACE_COLUMNS):
        place = _make_place(*row)
        places[place.member_id].append(place)
    return dict(places)


def _make_place(account_id: int, member_id: str, product: str, status: str) -> Place:
    return Place(account_id, member_id, product, is_alive=status in ALIVE)


def _read_remitters(keys: Iterable[str]) -> dict[str, Remitter]:
    """Where the checks of each bank account lie now, wherever they were put first: those that stand."""
    shares = list(
        CheckShare.objects.filter(
            received_check__remitter_key__among=list(keys), received_check__status__in=STANDING
        ).select_related("received_check__lockbox_item")
    )
    receipts = Receipt.objects.filter(reference__among=[share.reference for share in shares])
    lying = {
        reference: (account_id, member_id)
        for reference, account_id, member_id in receipts.values_list(
            "reference", "account_id", "account__enrollment__member__member_id"
        )
    }
    by_key: defaultdict[str, list[CheckShare]] = defaultdict(list)
    for share in shares:
        by_key[share.received_check.remitter_key].append(share)
    return {key: _make_remitter(of_key, lying) for key, of_key in by_key.items()}


def _make_remitter(shares: Sequence[CheckShare], lying: Mapping[str, tuple[int, str]]) -> Remitter:
    """Known once staff have put on accounts one that had waited for them."""
    return Remitter(
        names=frozenset(fold_name(share.received_check.payer) for share in shares),
        account_ids=frozenset(lying[share.reference][0] for share in shares),
        member_ids=frozenset(lying[share.reference][1] for share in shares),
        is_known=any(share.received_check.lockbox_item.way == LockboxWay.QUEUE for share in shares),
    )
