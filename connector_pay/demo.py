"""The demo exchange: made-up enrollments through the real intake, people who can sign in, and the list of
whom to try.
"""

import json
import secrets
from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.core.management import call_command
from django.db.models import Count

from billing.balances import Standing, read_standings
from billing.models import Account
from connector_pay.lib import clock
from connector_pay.local.local_keys import write_privately
from connector_pay.roles import Role, give_role
from members.activation import activate
from members.exchange_generator import generate_events
from members.models import EnrollmentStatus, IntakeEvent, Member, Product, User
from payments.bank.magic_accounts import MAGIC_ACCOUNTS
from payments.models import RoutingNumber
from payments.routing_directory_generator import DEMO_ROUTING_NUMBER, generate_directory

HOUSEHOLDS = 400
SEED = 1
GOOD_ACCOUNT = "123456789012"
BOTH, HEALTH_ALONE, DENTAL_ALONE = (Product.HEALTH, Product.DENTAL), (Product.HEALTH,), (Product.DENTAL,)
# What each member and guest of the list has due, in order. The last guest's phone number is nobody else's.
MEMBERS = (BOTH, HEALTH_ALONE, DENTAL_ALONE)
GUESTS = (BOTH, HEALTH_ALONE, DENTAL_ALONE, BOTH, HEALTH_ALONE)


class UnableToLoadExchange(Exception):
    """Loading was interrupted in an earlier month, and what is left of it can no longer go in."""


@dataclass(frozen=True)
class Household:
    """A member, and what is due on each of their accounts."""

    member: Member
    standings: tuple[Standing, ...]
    shares_phone: bool

    @property
    def products(self) -> tuple[str, ...]:
        """What is due, health before dental."""
        return tuple(product for product in BOTH if any(one.product == product for one in self.standings))

    def is_late(self, *, today: date) -> bool:
        """Whether anything that is due should have been paid already."""
        return any(one.due_date is not None and one.due_date < today for one in self.standings)

    def list_due(self) -> list[dict[str, Any]]:
        """What is due, for the list."""
        return [
            {"product": one.product, "amount_cents": one.due_cents, "due_date": one.due_date}
            for product in BOTH
            for one in self.standings
            if one.product == product
        ]


def load_exchange(*, file: Path, today: date) -> None:
    """Bring the made-up enrollments in by `import_enrollments`, once.

    Their file stays until all of them are in: an interrupted load goes on where it stopped. Raises
    UnableToLoadExchange.
    """
    begun = IntakeEvent.objects.exists()
    if begun and not file.exists():
        return
    if not begun:
        events = generate_events(households=HOUSEHOLDS, seed=SEED, today=today)
        write_privately(file, "".join(f"{json.dumps(event)}\n" for event in events))
    try:
        call_command("import_enrollments", str(file))
    except SystemExit as error:
        raise UnableToLoadExchange(
            "Not every enrollment went in: begin anew with make run FRESH=1."
        ) from error
    file.unlink()


def load_banks(*, file: Path, today: date) -> None:
    """Bring a made-up routing directory in by `import_routing_directory`, where there is none."""
    if not RoutingNumber.objects.exists():
        write_privately(file, "".join(generate_directory(seed=SEED, today=today)))
        call_command("import_routing_directory", str(file))


def write_people(*, file: Path, url: str, today: date) -> dict[str, Any]:
    """Let some of the people sign in, and write down whom to try.

    Passwords and secrets are made once and kept in the file. Members of an earlier list stay on it, after those who owe.
    """
    known = _read_passwords(file)
    households = _find_households(today=today, earlier=known)
    members = _choose(households, kinds=MEMBERS)
    members += [one for one in households if one.member.email in known and one not in members]
    guests = _choose([one for one in households if one not in members], kinds=GUESTS)
    people = {
        "url": url,
        "guests": [_describe_guest(one) for one in guests],
        "members": [_describe_member(one, known=known) for one in members],
        "staff": [_describe_staff(role, known=known, secrets=_read_secrets(file)) for role in Role],
        "bank_accounts": _list_bank_accounts(),
    }
    write_privately(file, json.dumps(people, indent=2, default=str) + "\n")
    return people


def _read_passwords(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    people = json.loads(file.read_text())
    return {
        one.get("email") or one["username"]: one["password"] for one in people["members"] + people["staff"]
    }


def _read_secrets(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    return {one["role"]: one.get("totp_secret", "") for one in json.loads(file.read_text())["staff"]}


def has_everybody(people: dict[str, Any]) -> bool:
    """Whether the list has a member and a guest of each kind; after months of the demo there may be too few."""
    owed = [tuple(due["product"] for due in one["due"]) for one in people["members"][: len(MEMBERS)]]
    return owed == list(MEMBERS) and len(people["guests"]) == len(GUESTS)


def _find_households(*, today: date, earlier: Container[str]) -> list[Household]:
    """Everybody who owes, and members of an earlier list whatever they owe: first those who are still on
    time, among them first those who can sign in already.
    """
    owed = _read_owed(today=today)
    shared = set(
        Member.objects.values("phone")
        .annotate(number=Count("pk"))
        .filter(number__gt=1)
        .values_list("phone", flat=True)
    )
    reachable = Member.objects.exclude(email="").exclude(phone="").order_by("user__pk", "pk")
    households = [
        Household(member, tuple(owed.get(member.pk, ())), shares_phone=member.phone in shared)
        for member in reachable
        if member.pk in owed or member.email in earlier
    ]
    return sorted(households, key=lambda one: one.is_late(today=today))


def _read_owed(*, today: date) -> dict[int, list[Standing]]:
    """What each member owes for coverage that they have or wait for."""
    owed: dict[int, list[Standing]] = {}
    statuses = (EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE)
    accounts = Account.objects.filter(enrollment__status__in=statuses).values_list("pk", flat=True)
    for standing in read_standings(account_ids=accounts, today=today).values():
        if standing.due_cents:
            owed.setdefault(standing.member_id, []).append(standing)
    return owed


def _choose(households: list[Household], *, kinds: tuple[tuple[Product, ...], ...]) -> list[Household]:
    """One household for each kind of which any is left, no two the same."""
    chosen: list[Household] = []
    for kind in kinds:
        fitting = (
            one for one in households if one.products == kind and not one.shares_phone and one not in chosen
        )
        chosen += islice(fitting, 1)
    return chosen


def _describe_guest(household: Household) -> dict[str, Any]:
    member = household.member
    return {
        "member_id": member.member_id,
        "phone": str(member.phone),
        "date_of_birth": member.date_of_birth.isoformat(),
        "due": household.list_due(),
    }


def _describe_member(household: Household, *, known: dict[str, str]) -> dict[str, Any]:
    member = household.member
    password = known.get(member.email) or make_password()
    user = User.objects.filter(member=member).first()
    if user is None:
        activate(member=member, email=member.email, password=password)
    else:
        _keep_password(user=user, password=password)
    return {"email": member.email, "password": password, "due": household.list_due()}


def _describe_staff(role: Role, *, known: dict[str, str], secrets: dict[str, str]) -> dict[str, str]:
    password = known.get(role) or make_password()
    secret = secrets.get(role) or generate_totp_secret()
    user = User.objects.filter(username=role).first()
    if user is None:
        user = User.objects.create_user(role, email=f"{role}@example.org", password=password, is_staff=True)
    else:
        _keep_password(user=user, password=password)
    give_role(user=user, role=role)
    _keep_second_step(user=user, secret=secret)
    return {"role": role.value, "username": role.value, "password": password, "totp_secret": secret}


def _keep_second_step(*, user: User, secret: str) -> None:
    """The authenticator app of the list, whatever stood in its place."""
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if found is None or decrypt(found.data["secret"]) != secret:
        Authenticator.objects.filter(user=user).delete()
        TOTP.activate(user, secret)


def _keep_password(*, user: User, password: str) -> None:
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])


def make_password() -> str:
    """A password nobody has used: the demo may be reached by others."""
    return secrets.token_urlsafe(15)


def _list_bank_accounts() -> list[dict[str, str]]:
    good = {"account_number": GOOD_ACCOUNT, "routing_number": DEMO_ROUTING_NUMBER, "does": "Pays"}
    magic = [
        {"account_number": number, "routing_number": DEMO_ROUTING_NUMBER, "does": account.does}
        for number, account in MAGIC_ACCOUNTS.items()
    ]
    return [good, *magic]


def load_demo(*, url: str) -> dict[str, Any]:
    """Load the exchange where there is none, and write `.data/demo.json`; answers what that file says."""
    today = clock.today()
    settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    load_exchange(file=settings.DATA_DIR / "demo_exchange.jsonl", today=today)
    load_banks(file=settings.DATA_DIR / "made_up_routing_directory.txt", today=today)
    return write_people(file=settings.DATA_DIR / "demo.json", url=url, today=today)
