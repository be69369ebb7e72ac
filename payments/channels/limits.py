"""Limits on looking for bills: per address, per identifier and overall; they slow down, then withhold what is due. And on banks.

Counted in Redis while it answers, else in the database. Neither holds an address, a Member ID or a phone number: only keyed
fingerprints of them. A window is a fixed stretch of time; the numbers are the policy's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from redis.exceptions import RedisError

from billing.policy import read_policy
from connector_pay.lib.sealed import blind_index
from payments.models import LookupCount

SLOW_FROM = 0.5  # of a limit: from here on look-ups slow down
LONGEST_WAIT_SECONDS = 1.0
OVERALL = "overall"
Counted = TypeVar("Counted")


@dataclass(frozen=True)
class Verdict:
    """How a look-up is answered: after how many seconds, and whether what is due is withheld."""

    wait_seconds: float
    withhold: bool


class Store(Protocol):
    """Where look-ups are counted, for one window."""

    def mark(self, key: str) -> bool:
        """Whether this is the first time in the window that the key is seen."""

    def add(self, key: str, by: int) -> int:
        """Add to the key's count; returns what it is then."""


def count_lookup(*, address: str, identifier: str, at: datetime) -> Verdict:
    """Count one look-up of an identifier from an address, found or not; says how it may be answered.

    An address is counted once for each distinct identifier, an identifier and everyone together for each look-up. What is due
    is withheld above a limit; paying by Member ID is never closed.
    """
    return _judge(_count_somewhere(partial(_count, address=address, identifier=identifier), at=at))


def may_ask_for_bank(*, address: str, at: datetime) -> bool:
    """Whether an address may be told one more bank's name in the window: the directory is not read out to anyone."""
    asked = _count_somewhere(lambda store: store.add(_fingerprint("bank name", address), 1), at=at)
    return asked <= read_policy().bank_names_per_address


@dataclass(frozen=True)
class CacheStore:
    """Counts in Redis, gone by themselves after the window."""

    starts_at: datetime
    minutes: int

    def mark(self, key: str) -> bool:
        """Whether this is the first time in the window that the key is seen."""
        return bool(cache.add(self._name(key), 1, timeout=self._seconds))

    def add(self, key: str, by: int) -> int:
        """Add to the key's count; returns what it is then."""
        cache.add(self._name(key), 0, timeout=self._seconds)
        return cache.incr(self._name(key), by)

    @property
    def _seconds(self) -> int:
        return self.minutes * 60 * 2

    def _name(self, key: str) -> str:
        return f"guest:{self.starts_at:%Y%m%d%H%M}:{key}"


@dataclass(frozen=True)
class DatabaseStore:
    """Counts in the database, for when Redis does not answer; the first look-up of a window clears away those before."""

    starts_at: datetime

    def mark(self, key: str) -> bool:
        """Whether this is the first time in the window that the key is seen."""
        return self.add(key, 1) == 1

    def add(self, key: str, by: int) -> int:
        """Add to the key's count; returns what it is then. One statement, so none of two at once is lost."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO payments_lookupcount AS kept (key, window_starts_at, count) VALUES (%s, %s, %s) "
                "ON CONFLICT (window_starts_at, key) DO UPDATE SET count = kept.count + EXCLUDED.count RETURNING count",
                [key, self.starts_at, by],
            )
            (count,) = cursor.fetchone()
        if key == _fingerprint(OVERALL, "") and count == 1:
            LookupCount.objects.filter(window_starts_at__lt=self.starts_at).delete()
        return int(count)


def _count_somewhere(count: Callable[[Store], Counted], *, at: datetime) -> Counted:
    starts_at, minutes = _find_window(at)
    if settings.REDIS_URL:
        try:
            return count(CacheStore(starts_at, minutes))
        except (RedisError, ValueError):  # down, or it has just forgotten a key: the limits hold all the same
            return count(DatabaseStore(starts_at))
    return count(DatabaseStore(starts_at))


def _count(store: Store, *, address: str, identifier: str) -> dict[str, int]:
    new = store.mark(_fingerprint("pair", f"{address} {identifier}"))
    return {
        "address": store.add(_fingerprint("address", address), int(new)),
        "identifier": store.add(_fingerprint("identifier", identifier), 1),
        OVERALL: store.add(_fingerprint(OVERALL, ""), 1),
    }


def _judge(counts: Mapping[str, int]) -> Verdict:
    policy = read_policy()
    limits = {
        "address": policy.guest_find_per_address,
        "identifier": policy.guest_find_per_identifier,
        OVERALL: policy.guest_find_overall,
    }
    pressure = max(counts[name] / limits[name] for name in limits)
    beyond_half = min(max(pressure - SLOW_FROM, 0) / SLOW_FROM, 1)
    return Verdict(wait_seconds=LONGEST_WAIT_SECONDS * beyond_half, withhold=pressure > 1)


def _find_window(at: datetime) -> tuple[datetime, int]:
    minutes = read_policy().guest_find_window_minutes
    length = timedelta(minutes=minutes)
    beginning = datetime(2000, 1, 1, tzinfo=UTC)
    return beginning + (at - beginning) // length * length, minutes


def _fingerprint(kind: str, value: str) -> str:
    return blind_index(value=f"guest look-up {kind}: {value}")
