"""Key rotation: every sealed value sealed anew under the ring's first key, some at a time, whatever else goes on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

from connector_pay.lib.models import SealedValue
from connector_pay.lib.sealed import UnableToOpen

VALUES_AT_ONCE = 500
BYTES_AT_ONCE = 16_000_000  # parts of bank files come to almost a megabyte each
_BEFORE_ALL = UUID(int=0)


class UnableToRotate(Exception):
    """Sealed values are rewritten by the database's owner only."""


@dataclass
class Rotation:
    """What one rotation has done so far: values sealed anew, and the ids of those that no key of the ring opens."""

    sealed_anew: int = 0
    unreadable: list[UUID] = field(default_factory=list)


def rotate_keys() -> Iterator[Rotation]:
    """Seal every value anew that another key than the ring's first has sealed; yields after each transaction.

    A value that cannot be opened stays as it is and is named. Killed at any point, it goes on where it was at the next call,
    because a value's token says which key sealed it. Raises UnableToRotate.
    """
    _refuse_others_than_the_owner()
    rotation, after = Rotation(), _BEFORE_ALL
    while keys := _list_old(after=after):
        with transaction.atomic():
            _seal_anew(keys, rotation)
        after = keys[-1]
        yield rotation


def _list_old(*, after: UUID) -> list[UUID]:
    """The next ids, in order, of values that another key has sealed: not more of them than memory holds at ease."""
    prefix = _write_prefix()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT id, sum(octet_length(token)) OVER (ORDER BY id) - octet_length(token) AS before FROM ("
            "SELECT id, token FROM lib_sealedvalue WHERE id > %s AND substring(token FOR %s) <> %s ORDER BY id LIMIT %s"
            ") AS old) AS sized WHERE before < %s ORDER BY id",
            [after, len(prefix), prefix, VALUES_AT_ONCE, BYTES_AT_ONCE],
        )
        return [key for (key,) in cursor.fetchall()]


def _seal_anew(keys: list[UUID], rotation: Rotation) -> None:
    prefix = _write_prefix()
    for value in SealedValue.objects.select_for_update().filter(pk__in=keys).order_by("pk"):
        if bytes(value.token).startswith(prefix):
            continue  # a half-typed form, kept again meanwhile
        try:
            clear = value.open(purpose=value.purpose)
        except UnableToOpen:
            rotation.unreadable.append(value.pk)
            continue
        value.replace(clear=clear)
        value.save(update_fields=["token"])
        rotation.sealed_anew += 1


def _refuse_others_than_the_owner() -> None:
    """To anyone else most rows are read-only, and would silently be passed over. Raises UnableToRotate."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'lib_sealedvalue'::regclass"
        )
        (is_owner,) = cursor.fetchone()
    if not is_owner:
        raise UnableToRotate(
            "Only the database's owner may seal anew: set DATABASE_OWNER_URL to the owner's login."
        )


def _write_prefix() -> bytes:
    """How a token of the ring's first key begins."""
    if not settings.SEALING_KEYS:
        raise ImproperlyConfigured("Set SEALING_KEYS: the first of them seals.")
    return next(iter(settings.SEALING_KEYS)).encode() + b":"
