"""Finding a bill as a guest: by Member ID or by the phone number on the account, with or without the date of birth.

Every miss has the same words and takes the same time. Without the date of birth nothing of the account is shown.
"""

import time as machine
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import phonenumbers
from django.conf import settings
from django.db.models import Q

from members import member_id
from members.models import EnrollmentStatus, Member
from payments.channels.limits import count_lookup
from payments.payables import list_payables

MISS_SECONDS = 0.25  # how long every miss takes at least
LONGEST_IDENTIFIER = 40


class UnableToFindBill(LookupError):
    """What was typed leads to no bill, or to more than one member's; never says which."""


class UnableToLookUpPhone(LookupError):
    """Too many look-ups: phone numbers wait. Paying by Member ID stays open."""


@dataclass(frozen=True)
class Identifier:
    """What was typed, read: a Member ID of 12 digits, or a phone number as +16175550123. Both empty: neither."""

    member_id: str = ""
    phone: str = ""

    @property
    def written(self) -> str:
        """In groups, as people check it."""
        if self.member_id:
            return member_id.format(self.member_id)
        number = phonenumbers.parse(self.phone)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


@dataclass(frozen=True)
class FoundBill:
    """A member's accounts that can be paid. `person` ("Alice A.") and what is due may be shown only if `shows_account`."""

    account_ids: tuple[int, ...]
    identifier: Identifier
    shows_account: bool
    withheld: bool
    person: str = ""


def read_identifier(text: str) -> Identifier:
    """A Member ID or a US phone number from what was typed in any usual way."""
    if member_id.is_valid(text):
        return Identifier(member_id=member_id.validate(text))
    try:
        number = phonenumbers.parse(text[:LONGEST_IDENTIFIER], "US")
    except phonenumbers.NumberParseException:
        return Identifier()
    if number.country_code != 1 or not phonenumbers.is_possible_number(number):
        return Identifier()
    return Identifier(phone=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def find_bill(
    *,
    identifier: str,
    date_of_birth: date | None,
    address: str,
    today: date,
    at: datetime,
) -> FoundBill:
    """The accounts that a guest may pay. Raises UnableToFindBill, UnableToLookUpPhone.

    Each call is counted; above the limits what is due is withheld, and a phone number is not looked up at all.
    """
    began = machine.monotonic()
    typed = read_identifier(identifier)
    verdict = count_lookup(
        address=address, identifier=typed.member_id or typed.phone or identifier.strip(), at=at
    )
    if verdict.wait_seconds:
        machine.sleep(verdict.wait_seconds)
    if verdict.withhold and typed.phone:
        raise UnableToLookUpPhone
    asked = None if verdict.withhold else date_of_birth
    try:
        account_ids, person = _find_accounts(typed, date_of_birth=asked, today=today)
    except UnableToFindBill:
        machine.sleep(max(began + MISS_SECONDS - machine.monotonic(), 0))
        raise
    shows = asked is not None
    return FoundBill(
        account_ids=account_ids,
        identifier=typed,
        shows_account=shows,
        withheld=verdict.withhold,
        person=person if shows else "",
    )


def slow_down(
    *,
    identifier: str,
    product: str,
    address: str,
    at: datetime,
) -> None:
    """A guest who is shown nothing tries a product: counted like a look-up, slowed down like one, never closed."""
    wait = count_lookup(address=address, identifier=f"{identifier} {product}", at=at).wait_seconds
    if wait:
        machine.sleep(wait)


def requires_date_of_birth() -> bool:
    """Whether this exchange asks every guest for the member's date of birth."""
    return bool(settings.GUEST_IDENTIFICATION == "strict")


def _find_accounts(
    typed: Identifier, *, date_of_birth: date | None, today: date
) -> tuple[tuple[int, ...], str]:
    """One statement for every kind of miss; a phone number on several members is one. Raises UnableToFindBill."""
    rows = list(_read_rows(typed))
    people = {row["member"] for row in rows}
    born = {row["born"] for row in rows}
    if len(people) != 1 or (date_of_birth is not None and born != {date_of_birth}):
        raise UnableToFindBill
    payables = list_payables(account_ids=[row["account"] for row in rows if row["account"]], today=today)
    if not payables:
        raise UnableToFindBill
    return tuple(payable.account_id for payable in payables), f"{rows[0]['first']} {rows[0]['last'][:1]}."


def _read_rows(typed: Identifier) -> Iterable[dict[str, Any]]:
    """Each enrollment of each member found, and members without any: they too share a phone number."""
    who = Q(member_id=typed.member_id) if typed.member_id else Q(phone=typed.phone or "-")
    columns = (
        "enrollments__account",
        "enrollments__status",
        "pk",
        "date_of_birth",
        "first_name",
        "last_name",
    )
    for key, status, member, born, first, last in Member.objects.filter(who).values_list(*columns):
        account = None if status == EnrollmentStatus.EXPIRED else key
        yield {"account": account, "member": member, "born": born, "first": first, "last": last}
