"""Activation: a member opens their account here once, known by Member ID, date of birth and ZIP code."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from members.models import Member, User

WINDOW_SECONDS = 15 * 60
MISSES_PER_ADDRESS = 10
MISSES_PER_MEMBER_ID = 5


class UnableToFindMember(Exception):
    """No member has this Member ID, date of birth and ZIP code; nobody is told which of them is wrong."""


class UnableToTryAgain(Exception):
    """Too many misses from this address or for this Member ID, or nobody can count them now."""


class AlreadyActivated(Exception):
    """The member has an account, or the email address has one."""


def find_member(*, member_id: str, date_of_birth: date, zip_code: str, address: str) -> Member:
    """The member all three belong to. Raises UnableToFindMember, or UnableToTryAgain after too many misses.

    `address` is the network address that asks. Limits are for misses: every try is counted before it is answered, so that many
    at once are as few as one after the other, and who types well gets the try back.
    """
    limits = [(f"address:{address}", MISSES_PER_ADDRESS), (f"member:{member_id}", MISSES_PER_MEMBER_ID)]
    keys = [(f"activation:{salted_hmac('activation', name).hexdigest()}", limit) for name, limit in limits]
    try:
        counted = [(_count(key), limit) for key, limit in keys]
        is_over = any(count > limit for count, limit in counted)
        member = Member.objects.filter(
            member_id=member_id, date_of_birth=date_of_birth, zip_code=zip_code
        ).first()
        if is_over or member:
            _give_back([key for key, _ in keys])
    except RedisError as error:
        raise UnableToTryAgain from error
    if is_over:
        raise UnableToTryAgain
    if member is None:
        raise UnableToFindMember
    return member


def has_account(*, member: Member) -> bool:
    """Whether the member has activated already."""
    return User.objects.filter(member=member).exists()


def draw_up_user(*, member: Member, email: str) -> User:
    """The user a member would become, not saved: what a password is held against."""
    return User(
        username=f"member-{member.member_id}",
        email=email.lower(),
        first_name=member.first_name,
        last_name=member.last_name,
        member=member,
    )


def activate(*, member: Member, email: str, password: str) -> User:
    """Open the member's account, once; where the exchange sent no email, notices go to this one.

    Raises AlreadyActivated.
    """
    user = draw_up_user(member=member, email=email)
    user.set_password(password)
    if User.objects.filter(email__iexact=user.email).exists():
        raise AlreadyActivated
    try:
        with transaction.atomic():
            user.save()
            Member.objects.filter(pk=member.pk, email="").update(email=user.email)
    except IntegrityError as error:
        raise AlreadyActivated from error
    return user


def _count(key: str) -> int:
    """One more; the first of a window starts it. Raises UnableToTryAgain where nobody counts, and RedisError."""
    for _ in range(2):  # a window that closes in between starts the next one
        cache.add(key, 0, WINDOW_SECONDS)
        with suppress(ValueError):
            return cache.incr(key)
    raise UnableToTryAgain


def _give_back(keys: Sequence[str]) -> None:
    """What was no miss is not counted; a window that has closed meanwhile counts nothing."""
    for key in keys:
        with suppress(ValueError):
            cache.decr(key)
