"""A bank account just typed is validated soon: a worker is woken after the commit, by ids alone, and never holds up the payer."""

import base64
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as configured
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from connector_pay.celery import app
from payments.models import BankAccount, Payment
from payments.tasks import wake_validation
from tests.payments.payers import NUMBER, authorize, go_to_review, make_household, read, sign_in, start
from tests.payments.paying import TUESDAY, make_account, pay

TASK = "payments.tasks.validate_bank_accounts"


def list_woken(queue: str) -> list[dict[str, Any]]:
    """What workers have been asked to validate, as it stands in Redis: each message's keyword arguments."""
    messages = [json.loads(raw) for raw in redis.Redis.from_url(configured.REDIS_URL).lrange(queue, 0, -1)]
    bodies = [json.loads(base64.b64decode(message["body"])) for message in messages]
    assert all(args == [] for args, _kwargs, _options in bodies)
    return [kwargs for _args, kwargs, _options in bodies]


@pytest.fixture(autouse=True)
def queue() -> Iterator[str]:
    """A queue of the test's own: others of this run share the Redis server."""
    name = f"test_{os.urandom(4).hex()}"
    route(to={TASK: {"queue": name}})
    yield name
    route(to=None)
    redis.Redis.from_url(configured.REDIS_URL).delete(name)


def route(*, to: dict[str, Any] | None) -> None:
    """Send messages elsewhere from now on."""
    app.conf.task_routes = to
    app.amqp.flush_routes()
    app.amqp.router = app.amqp.Router()


def pay_by_the_pages(capture) -> tuple[Client, Any]:
    """A member pays; what is to happen after the commit happens."""
    client = sign_in(make_household())
    review = go_to_review(client, start(client), {})
    with capture(execute=True):
        answer = authorize(client, review)
    return client, answer


@pytest.mark.django_db
def test_paying_by_the_pages_wakes_a_worker_that_validates_the_account(
    queue: str, django_capture_on_commit_callbacks
) -> None:
    _client, answer = pay_by_the_pages(django_capture_on_commit_callbacks)
    assert answer.status_code == 303
    account = BankAccount.objects.get()
    assert account.status == "unchecked"
    asked = {"bank_account_ids": [account.pk]}
    assert list_woken(queue) == [asked]
    app.tasks[TASK](**asked)
    account.refresh_from_db()
    assert account.status == "valid"


@pytest.mark.django_db
def test_the_message_holds_no_account_number(queue: str, django_capture_on_commit_callbacks) -> None:
    pay_by_the_pages(django_capture_on_commit_callbacks)
    raw = redis.Redis.from_url(configured.REDIS_URL).lrange(queue, 0, -1)
    assert raw
    words = b"".join(raw) + b"".join(base64.b64decode(json.loads(one)["body"]) for one in raw)
    assert NUMBER.encode() not in words


@pytest.mark.django_db
def test_an_account_that_has_passed_wakes_nobody(django_capture_on_commit_callbacks) -> None:
    payment = pay(make_account(), 10_00, today=TUESDAY)
    BankAccount.objects.update(status="valid")
    payment.bank_account.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True) as waking:
        wake_validation(uses=[payment])
    assert waking == []


def test_only_what_is_committed_wakes_a_worker(queue: str, committed_db) -> None:
    payment = pay(make_account(), 10_00, today=TUESDAY)
    with transaction.atomic():
        wake_validation(uses=[payment])
        transaction.set_rollback(True)
    assert list_woken(queue) == []
    with transaction.atomic():
        wake_validation(uses=[payment])
        assert list_woken(queue) == []
    assert list_woken(queue) == [{"bank_account_ids": [payment.bank_account_id]}]


@pytest.mark.django_db
def test_where_redis_is_left_alone_nobody_waits_for_it(
    queue: str, django_capture_on_commit_callbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "rests_until", time.monotonic() + 60, raising=False)
    client, answer = pay_by_the_pages(django_capture_on_commit_callbacks)
    assert "Confirmation" in read(client.get(answer["Location"]))
    assert list_woken(queue) == []


@pytest.mark.django_db
def test_where_redis_is_gone_the_payer_sees_the_confirmation_at_once(
    django_capture_on_commit_callbacks, settings
) -> None:
    client = sign_in(make_household())
    review = go_to_review(client, start(client), {})
    with settings_without_redis(settings), django_capture_on_commit_callbacks(execute=True):
        began = time.monotonic()
        answer = authorize(client, review)
        took = time.monotonic() - began
    assert answer.status_code == 303
    assert took < 4
    assert Payment.objects.get().status == "recorded"


class settings_without_redis:  # noqa: N801  (read as a word of the test)
    """Nothing listens where Redis should be."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def __enter__(self) -> None:
        gone = {**self.settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
        self.settings.CACHES = {"default": gone}

    def __exit__(self, *_: object) -> None:
        """The settings fixture puts back what was."""
