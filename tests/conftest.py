"""What every test stands on: a database cloned from a migrated template, the application's role, an empty cache and bank."""

import gc
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
import time_machine
from django.core.cache import cache
from pytest_django.plugin import DjangoDbBlocker

from tests import databases
from tests.diary import Diary, eastern
from tests.portal import PATIENCE_SECONDS, Portal, start_portal

# `make test` tries the same made-up cases each time, so that what it says of a change is about the change;
# `make prove` names this profile and tries others each time.
hypothesis.settings.register_profile("others", derandomize=False)
hypothesis.settings.register_profile("the same", derandomize=True, database=None)
hypothesis.settings.load_profile("the same")


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay until the end: the garbage collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def template_database() -> str:
    """The name of the migrated template."""
    return databases.prepare_template()


@pytest.fixture(scope="session")
def django_db_setup(template_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One clone for each worker of the run; tests roll back what they do in it."""
    name = f"test_{os.getpid()}"
    databases.clone(template=template_database, name=name)
    with databases.another_database(name):
        yield
    databases.drop(name)


@pytest.fixture(autouse=True, scope="session")
def _staff_take_their_second_step() -> None:
    """Whoever of the staff a test signs in without the pages has taken the second step, as the pages would have them do."""
    from django.test import Client

    from tests.people import pass_second_step

    sign_in = Client.force_login

    def sign_in_whole(self: Client, user, backend=None) -> None:
        sign_in(self, user, backend)
        if user.is_staff:
            pass_second_step(self, user)

    Client.force_login = sign_in_whole


@dataclass(frozen=True)
class CommittedDatabase:
    """A database of a test's own, where commits are real: its name, and the environment for other processes on it."""

    name: str
    environment: dict[str, str]
    bank_dir: Path


@pytest.fixture
def committed_db(
    template_database: str,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    settings,
    tmp_path: Path,
) -> Iterator[CommittedDatabase]:
    """A fresh clone on which Django works during the test; threads and other processes may join."""
    from django.db import connection

    name = f"committed_{os.getpid()}_{os.urandom(3).hex()}"
    databases.clone(template=template_database, name=name)
    bank_dir = tmp_path / "bank"
    settings.SANDBOX_BANK_DIR = bank_dir
    environment = {**databases.environment_of(name), "SANDBOX_BANK_DIR": str(bank_dir)}
    with django_db_blocker.unblock():
        connection.close()
        with databases.another_database(name):
            yield CommittedDatabase(name=name, environment=environment, bank_dir=bank_dir)
        databases.drop(name)


@pytest.fixture(autouse=True)
def _fresh_surroundings(settings, tmp_path: Path) -> None:
    """An empty sandbox bank, and a cache in which no other test has counted anything."""
    settings.SANDBOX_BANK_DIR = tmp_path / "bank"
    cache.key_prefix = os.urandom(4).hex()
    cache.rests_until = 0


@pytest.fixture
def diary(request: pytest.FixtureRequest, db: None) -> Iterator[Diary]:
    """A day in the exchange's life: by default noon of January 4, 2027, else the moment the test's `starts` mark names."""
    mark = request.node.get_closest_marker("starts")
    moment = mark.args[0] if mark else eastern(2027, 1, 4)
    with time_machine.travel(moment, tick=False) as traveller:
        story = Diary(traveller=traveller, moment=moment)
        yield story
        story.check()


@pytest.fixture(scope="session")
def portal(
    template_database: str, django_db_setup: None, django_db_blocker, tmp_path_factory
) -> Iterator[Portal]:
    """gunicorn on a socket that the system chose, ready."""
    name = f"portal_{os.getpid()}"
    databases.clone(template=template_database, name=name)
    with django_db_blocker.unblock(), databases.another_database(name):
        running = start_portal(name=name, folder=tmp_path_factory.mktemp("portal"))
        try:
            yield running
        finally:
            running.process.send_signal(signal.SIGTERM)
            running.process.wait(timeout=PATIENCE_SECONDS)
    databases.drop(name)
