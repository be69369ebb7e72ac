"""How we reach a member: a new email address counts once its link was opened, a new phone number at once; both are told.

One address serves for signing in and for what we send. Whether somebody else signs in with an address is never said to who
asks for it: the address itself is told.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from phonenumber_field.phonenumber import PhoneNumber

from members.choices import Act, keep_choices
from members.models import Choosable, EmailChange, Member, User
from members.outbox import Telling, tell

LINK_MINUTES = 60
ASKED_AN_HOUR = 5
ASKED_OF_AN_ADDRESS_AN_HOUR = 3


class UnableToAskAgain(Exception):
    """Too many links were asked for within the hour, by this person or for this address."""


class UnableToConfirm(Exception):
    """The link was used, is too old, was followed by another, is somebody else's, or its address is taken."""


def ask_for_email(*, act: Act, email: str) -> EmailChange:
    """Send a link to the address, for an hour and once; until it is opened nothing changes. Raises UnableToAskAgain."""
    email = email.lower()
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=act.by.pk)
        _refuse_too_many(act, email)
        change = EmailChange.objects.create(
            user=user, email=email, asked_at=act.at, expires_at=act.at + timedelta(minutes=LINK_MINUTES)
        )
        taken = _is_taken(email, by_another_than=user)
        telling = Telling(
            event="email_in_use" if taken else "email_to_confirm",
            subject=f"email_change:{change.pk}",
            address=email,
            facts={} if taken else {"change_key": change.key},
            language="" if taken else act.language,
        )
        tell(tellings=[telling], at=act.at, today=act.today)
    return change


def find_change(*, user: User, key: UUID | None, act: Act) -> EmailChange:
    """The change this link is for, while it can be confirmed: the person's own latest, not used, not too old.

    Raises UnableToConfirm.
    """
    latest = EmailChange.objects.filter(user=user).order_by("-asked_at", "-pk").first()
    if latest is None or latest.key != key or latest.confirmed_at or latest.expires_at <= act.at:
        raise UnableToConfirm
    if _is_taken(latest.email, by_another_than=user):
        raise UnableToConfirm
    return latest


def confirm_email(*, act: Act, key: UUID | None) -> EmailChange:
    """From now on this is the address for signing in and for what we send; the one before is told, and a letter tells it.

    Raises UnableToConfirm.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=act.by.pk)
        change = find_change(user=user, key=key, act=act)
        member = Member.objects.select_for_update(no_key=True).get(pk=act.member_pk)
        before = sorted({member.email.lower(), user.email.lower()} - {change.email, ""})
        EmailChange.objects.filter(pk=change.pk, confirmed_at=None).update(confirmed_at=act.at)
        _sign_in_with(change, user)
        keep_choices(act=act, values={Choosable.EMAIL: change.email})
        member.refresh_from_db()
        tell(tellings=_tell_old(change, member, before), at=act.at, today=act.today)
    return change


def change_phone(*, act: Act, phone: PhoneNumber | str) -> bool:
    """From now on guests find the bills by this number, or by none; told by email and by letter. False where nothing changed."""
    with transaction.atomic():
        choices = keep_choices(act=act, values={Choosable.PHONE: phone})
        member = Member.objects.get(pk=act.member_pk)
        told = [
            Telling(event="phone_changed", subject=f"choice:{choice.pk}", member=member) for choice in choices
        ]
        tell(tellings=told, at=act.at, today=act.today)
    return bool(choices)


def tell_password_changed(*, user: User, at: datetime, today: date) -> None:
    """A member's new password is told to the address they sign in with, each time."""
    telling = Telling(
        event="password_changed",
        subject=f"user:{user.pk}:{at.isoformat()}",
        address=user.email,
        language=user.member.language if user.member else "",
    )
    if user.member_id:
        tell(tellings=[telling], at=at, today=today)


def has_confirmed_email(*, member: Member) -> bool:
    """Whether the address that we write to has been confirmed by its link."""
    confirmed = EmailChange.objects.filter(user__member=member, email=member.email.lower())
    return bool(member.email) and confirmed.exclude(confirmed_at=None).exists()


def _refuse_too_many(act: Act, email: str) -> None:
    lately = EmailChange.objects.filter(asked_at__gt=act.at - timedelta(hours=1))
    by_person = lately.filter(user=act.by).count()
    if by_person >= ASKED_AN_HOUR or lately.filter(email=email).count() >= ASKED_OF_AN_ADDRESS_AN_HOUR:
        raise UnableToAskAgain


def _is_taken(email: str, *, by_another_than: User) -> bool:
    return User.objects.filter(email__iexact=email).exclude(pk=by_another_than.pk).exists()


def _sign_in_with(change: EmailChange, user: User) -> None:
    """Raises UnableToConfirm where somebody else has taken the address this moment."""
    user.email = change.email
    try:
        with transaction.atomic():
            user.save(update_fields=["email"])
    except IntegrityError as error:
        raise UnableToConfirm from error


def _tell_old(change: EmailChange, member: Member, before: list[str]) -> list[Telling]:
    """The first with the member's letter; where signing in had an address of its own, that one is told as well."""
    subject = f"email_change:{change.pk}"
    return [
        Telling(
            event="email_changed",
            subject=f"{subject}:{number}" if number else subject,
            member=None if number else member,
            address=address,
            language=member.language,
        )
        for number, address in enumerate(before)
    ]
