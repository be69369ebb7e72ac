"""Key rotation: everything is sealed anew by the first key, by the owner alone, resumed after a kill, and nothing is lost."""

import base64
import os
import subprocess
import sys
from collections.abc import Mapping

import psycopg2
import pytest
from django.conf import settings as configured

from connector_pay.lib.key_rotation import UnableToRotate, rotate_keys
from connector_pay.lib.models import SealedValue
from connector_pay.lib.sealed import UnableToOpen
from tests import databases
from tests.conftest import CommittedDatabase

NUMBERS = [f"48200123{place:04d}".encode() for place in range(1_200)]
NEW_KEY = os.urandom(32)


def seal_many() -> list[SealedValue]:
    values = [SealedValue.make(clear=number, purpose="account_number") for number in NUMBERS]
    return SealedValue.objects.bulk_create(values)


def write_ring(ring: Mapping[str, bytes]) -> str:
    return ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in ring.items())


def rotate(database: CommittedDatabase, ring: Mapping[str, bytes]) -> subprocess.CompletedProcess[str]:
    """`manage.py rotate_keys` as the operator runs it, with this ring of keys."""
    environment = {**database.environment, "DATABASE_AS_OWNER": "true", "SEALING_KEYS": write_ring(ring)}
    command = [sys.executable, "-m", "django", "rotate_keys", "--settings", "connector_pay.settings"]
    return subprocess.run(
        command, env=environment, cwd=databases.ROOT, capture_output=True, text=True, timeout=120
    )


def test_after_a_rotation_the_new_key_alone_opens_everything(
    committed_db: CommittedDatabase, settings
) -> None:
    seal_many()
    old = dict(configured.SEALING_KEYS)
    done = rotate(committed_db, {"new": NEW_KEY} | old)
    assert done.returncode == 0, done.stderr
    assert "1,200 sealed anew" in done.stdout
    settings.SEALING_KEYS = {"new": NEW_KEY}
    opened = [value.open(purpose="account_number") for value in SealedValue.objects.all()]
    assert sorted(opened) == NUMBERS
    settings.SEALING_KEYS = old
    with pytest.raises(UnableToOpen):
        SealedValue.objects.first().open(purpose="account_number")


def test_a_rotation_that_was_killed_goes_on_where_it_was(committed_db: CommittedDatabase, settings) -> None:
    seal_many()
    ring = {"new": NEW_KEY} | dict(configured.SEALING_KEYS)
    # Half of them have been done by a run that was killed.
    settings.SEALING_KEYS = ring
    owner = psycopg2.connect(databases.url_of(committed_db.name, owner=True))
    with owner, owner.cursor() as cursor:
        for value in SealedValue.objects.order_by("pk")[:600]:
            value.replace(clear=value.open(purpose="account_number"))
            cursor.execute(
                "UPDATE lib_sealedvalue SET token = %s WHERE id = %s", [value.token, str(value.pk)]
            )
    owner.close()
    assert "600 sealed anew" in rotate(committed_db, ring).stdout
    assert "sealed anew" not in rotate(committed_db, ring).stdout
    settings.SEALING_KEYS = {"new": NEW_KEY}
    assert sorted(value.open(purpose="account_number") for value in SealedValue.objects.all()) == NUMBERS


def test_what_no_key_opens_is_named_and_left_as_it_is(committed_db: CommittedDatabase, settings) -> None:
    old = dict(configured.SEALING_KEYS)
    settings.SEALING_KEYS = {"lost": os.urandom(32)}
    lost = SealedValue.make(clear=b"482001234567", purpose="account_number")
    lost.save()
    settings.SEALING_KEYS = old
    seal_many()
    done = rotate(committed_db, {"new": NEW_KEY} | old)
    assert done.returncode == 1
    assert str(lost.pk) in done.stderr
    assert "Put that key back" in done.stderr
    assert bytes(SealedValue.objects.get(pk=lost.pk).token) == bytes(lost.token)
    assert "1,200 sealed anew" in done.stdout


@pytest.mark.django_db
def test_the_portal_s_own_login_may_not_rotate() -> None:
    with pytest.raises(UnableToRotate, match="owner"):
        next(rotate_keys())
