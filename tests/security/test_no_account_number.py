"""After the whole road no account number stands in clear anywhere: tables, sessions, Redis, logs, mails, pages."""

import io
import logging
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.request import Request

import psycopg2
import pytest
import redis
import structlog
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.core import mail, signing
from django.core.management import call_command
from django.test import Client

from connector_pay.lib import clock
from connector_pay.lib.logs import make_formatter
from connector_pay.lib.masking import redact_digits
from connector_pay.lib.models import SealedValue
from members.models import Plan
from payments.models import BankAccount, BankFile, Payment, PaymentStatus
from payments.review import SALT
from payments.tasks import validate_bank_accounts
from tests import databases, people
from tests.paying import ROUTING, FormReader
from tests.plain_browser import Browser, fill
from tests.portal import PATIENCE_SECONDS, Portal, start_portal

GOOD, LETTERS, CANCELED, HALF_TYPED = "482001234567", "77AB03456712", "559900112233", "660011882299"
RETURNED, CORRECTED, INVALID = "1000000001", "1000000098", "1000000099"
TYPED_WRONG, TYPED_AGAIN = "918273645546", "918273645547"
CARD = "4111111111111111"
NUMBERS = (
    *(GOOD, LETTERS, CANCELED, HALF_TYPED, RETURNED, CORRECTED, INVALID, TYPED_WRONG, TYPED_AGAIN, CARD),
    *("2000000198", "4820 0123 4567"),  # what the bank corrected one to; one as it was typed, with its spaces
)
DAYS = 16
QUEUE = "looked_into_by_a_test"


class Witness(Browser):
    """A browser that keeps every page it was shown, headers and all."""

    def __init__(self, url: str, pages: list[str]) -> None:
        super().__init__(url)
        self.pages = pages

    def _open(self, request: Request) -> tuple[str, FormReader]:
        with self.opener.open(request, timeout=60) as answer:
            html, reader = answer.read().decode(), FormReader()
            self.pages.append(f"{answer.url}\n{answer.headers}\n{html}")
            reader.feed(html)
            return answer.url, reader


@dataclass
class Road:
    """What everybody saw and wrote while the road was walked."""

    portal: Portal
    log: io.StringIO
    pages: list[str] = field(default_factory=list)
    error_pages: list[str] = field(default_factory=list)

    def type_bank(self, number: str, again: str = "") -> tuple[Witness, str, FormReader]:
        """A guest up to the page after the bank page."""
        household = self.portal.add_household()
        browser = Witness(self.portal.url, self.pages)
        born = household.member.date_of_birth
        parts = {f"date_of_birth_{part}": str(getattr(born, part)) for part in ("month", "day", "year")}
        address, page = browser.get("/guest/")
        address, page = browser.post(address, fill(page, identifier=household.member.member_id, **parts))
        address, page = browser.post(address, fill(page))
        return browser, *self.send_bank(browser, address, page, number, again)

    def send_bank(
        self, browser: Witness, address: str, page: FormReader, number: str, again: str = ""
    ) -> tuple[str, FormReader]:
        """The bank page with these numbers."""
        numbers = {"account_number": number, "confirm_account_number": again or number}
        typed = {"holder_name": "Alice Alvarez", "kind": "checking", "routing_number": ROUTING}
        return browser.post(address, fill(page, receipt_email="aunt@example.org", **typed, **numbers))

    def pay(self, number: str) -> Witness:
        """A guest pays from this account and looks at the receipt; the guest's browser."""
        browser, address, page = self.type_bank(number)
        address, _page = browser.post(address, fill(page))
        assert "/confirmation/" in address
        browser.get(f"/receipts/{Payment.objects.latest('pk').confirmation_number}/")
        return browser


def find_in_database(name: str, numbers: tuple[str, ...] = NUMBERS) -> list[str]:
    """Every table whose rows hold one of the numbers, as text or as bytes; the owner sees every row."""
    found, owner = [], psycopg2.connect(databases.url_of(name, owner=True))
    with owner.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} AS t")
            rows = "\n".join(row[0] for row in cursor.fetchall())
            found += [f"{number} in {table}" for number in numbers if holds(rows, number)]
    owner.close()
    return found


def find_in_sessions(numbers: tuple[str, ...] = NUMBERS) -> list[str]:
    """Sessions are kept encoded, so each is read."""
    kept = "\n".join(str(session.get_decoded()) for session in Session.objects.all())
    return [number for number in numbers if holds(kept, number)]


def find_in_redis(numbers: tuple[str, ...] = NUMBERS) -> list[str]:
    """Every key and value, the broker's queues among them."""
    server = redis.Redis.from_url(configured.REDIS_URL)
    kept = [repr(key) + read_key(server, key) for key in server.scan_iter("*")]
    return [number for number in numbers if any(holds(text, number) for text in kept)]


def read_key(server: "redis.Redis", key: bytes) -> str:
    """What is kept under a key, whatever its type."""
    kind = server.type(key).decode()
    readers = {
        "string": server.get,
        "list": lambda name: server.lrange(name, 0, -1),
        "set": server.smembers,
        "hash": server.hgetall,
        "zset": lambda name: server.zrange(name, 0, -1),
        "none": lambda name: "",
    }
    return repr(readers[kind](key))


def holds(text: str, number: str) -> bool:
    """Whether a number stands in a text, plainly or as the bytes that PostgreSQL writes in hexadecimal."""
    return number in text or number.encode().hex() in text


@pytest.fixture
def road(committed_db, tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    """A running portal that logs all it can, on a database of its own; this process runs the jobs and logs as much."""
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--access-logfile=- --log-level=debug")
    settings.SANDBOX_BANK_DIR = tmp_path / "bank"
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(make_formatter())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    portal = start_portal(name=committed_db.name, folder=tmp_path)
    try:
        yield Road(portal=portal, log=log)
    finally:
        portal.process.send_signal(signal.SIGTERM)
        portal.process.wait(timeout=PATIENCE_SECONDS)
        root.removeHandler(handler)
        root.setLevel(level)


def walk(road: Road) -> None:
    """Guests and a member pay, mistype, cancel, leave; the bank takes, returns and corrects; staff look at all of it."""
    for number in (GOOD, LETTERS, RETURNED, CORRECTED, INVALID):
        road.pay(number)
    browser, address, page = road.type_bank("4820 0123 4567")
    browser.post(address, fill(page))
    mistype(road)
    browser, address, page = road.type_bank(HALF_TYPED)
    browser.get(address.replace("/review/", "/bank/"))
    cancel(road.pay(CANCELED), Payment.objects.latest("pk").confirmation_number)
    pay_as_member(road)
    call_command(
        "run_day", f"{clock.today() + timedelta(days=DAYS):%Y-%m-%d}", stdout=road.log, stderr=road.log
    )
    look_as_staff(road)


def mistype(road: Road) -> None:
    """Two numbers that differ, which the page's own answer may show again; a card's number, which it may not."""
    browser, address, page = road.type_bank(TYPED_WRONG, TYPED_AGAIN)
    assert address.endswith("/bank/")
    road.error_pages.append(browser.pages.pop())
    address, page = road.send_bank(browser, address, page, CARD)
    assert "That looks like a card number" in browser.pages[-1]
    browser.get(address)


def cancel(browser: Witness, number: str) -> None:
    """The one who has just paid cancels."""
    address, page = browser.get(f"/receipts/{number}/cancel/")
    browser.post(address, fill(page))
    assert Payment.objects.get(confirmation_number=number).status == PaymentStatus.CANCELED


def pay_as_member(road: Road) -> None:
    """A signed-in member pays from an account that is kept for the next time."""
    household = road.portal.add_household()
    browser = Witness(road.portal.url, road.pages)
    address, page = browser.get("/accounts/login/")
    browser.post(address, fill(page, login=household.email, password=household.password))
    address, page = browser.get("/pay/")
    address, page = browser.post(address, fill(page))
    address, page = road.send_bank(browser, address, page, GOOD)
    address, page = browser.post(address, fill(page))
    assert "/confirmation/" in address
    for path in ("/home/", "/bills/", "/payments/", "/payments/payments.csv", "/pay/"):
        browser.get(path)


def look_as_staff(road: Road) -> None:
    """Every list of the admin, and every row of those that show how money moves."""
    staff = Client()
    staff.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    for model in (BankAccount, BankFile, Payment):
        path = f"/admin/payments/{model._meta.model_name}/"
        for address in (
            path,
            *(f"{path}{key}/change/" for key in model.objects.values_list("pk", flat=True)),
        ):
            answer = staff.get(address)
            assert answer.status_code == 200
            road.pages.append(answer.content.decode())
    road.pages += [staff.get(path).content.decode() for path in ("/admin/lib/jobrun/", "/admin/demo-date/")]
    road.pages += [staff.get("/admin/members/notice/", {"q": "payment"}).content.decode()]


def test_the_whole_road_leaves_no_account_number_in_clear(road: Road) -> None:
    walk(road)
    reached = set(Payment.objects.values_list("status", flat=True))
    assert reached >= {PaymentStatus.POSTED, PaymentStatus.RETURNED, PaymentStatus.CANCELED}
    assert BankFile.objects.filter(direction="out").exists()
    assert set(
        Payment.objects.filter(status="returned").values_list("bank_account__last_four", flat=True)
    ) >= {"0001", "0099"}
    assert BankAccount.objects.filter(last_four="0198").exists()
    assert any(TYPED_WRONG in page and "no-store" in page for page in road.error_pages)

    validate_bank_accounts.apply_async(args=([1, 2, 3],), queue=QUEUE)
    assert find_in_redis((QUEUE,))
    redis.Redis.from_url(configured.REDIS_URL).delete(QUEUE)

    assert find_in_database(road.portal.database) == []
    assert find_in_sessions() == []
    assert find_in_redis() == []
    for place, texts in {
        "pages": road.pages,
        "this process's log": [road.log.getvalue()],
        "gunicorn's log": [road.portal.log.read_text()],
        "mails": [f"{message.subject} {message.body} {message.to}" for message in mail.outbox],
    }.items():
        assert texts, place
        assert max(len(text) for text in texts) > 200, place
        assert [number for number in NUMBERS if any(holds(text, number) for text in texts)] == [], place


def test_what_is_signed_into_the_review_holds_no_number(road: Road) -> None:
    browser, _address, page = road.type_bank(GOOD)
    token = fill(page)["token"][0]
    assert GOOD[-4:] in browser.pages[-1]
    facts = signing.loads(token, salt=SALT)
    assert not holds(str(facts), GOOD)


def test_the_search_finds_what_is_planted(committed_db) -> None:
    """Text, JSON, bytes, a session and a key of Redis: each plant is found, and only there."""
    number = "3141592653589"
    assert find_in_database(committed_db.name, (number,)) == []
    plan = people.make_plan()
    Plan.objects.filter(pk=plan.pk).update(remittance_address=f"account {number}.")
    assert find_in_database(committed_db.name, (number,)) == [f"{number} in public.members_plan"]
    sealed = SealedValue.make(clear=b"sealed " + number.encode(), purpose="payment_draft")
    sealed.save(force_insert=True)
    assert len(find_in_database(committed_db.name, (number,))) == 1
    sealed.token = b"not sealed " + number.encode()
    sealed.save(update_fields=["token"])
    assert f"{number} in public.lib_sealedvalue" in find_in_database(committed_db.name, (number,))
    client = Client()
    client.get("/guest/")
    session = client.session
    session["typed"] = {"account": number, "padding": "x" * 2_000}
    session.save()
    assert find_in_sessions((number,)) == [number]
    server = redis.Redis.from_url(configured.REDIS_URL)
    server.rpush(QUEUE, f"a message about {number}")
    try:
        assert find_in_redis((number,)) == [number]
    finally:
        server.delete(QUEUE)


def test_a_log_that_is_handed_a_number_does_not_keep_it() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(make_formatter())
    logger = logging.getLogger("a test of logs")
    logger.addHandler(handler)
    logger.propagate = False
    line = f"627{ROUTING}{GOOD:<17}0000028417{'':22}"
    try:
        logger.error("account %s", GOOD)
        logger.error(f"account_number={GOOD} n{GOOD}x -{GOOD} {GOOD[:4]}-{GOOD[4:8]} {GOOD[8:]}")
        logger.error(line.replace(" ", "0"))
        logger.error({"nested": [GOOD, {"deeper": (GOOD,)}]})
        structlog.get_logger("a test of logs").error("said", details={"number": GOOD, "bytes": GOOD.encode()})
        try:
            raise ValueError(f"bad entry: {line}")
        except ValueError:
            logger.exception("failed for %s", GOOD)
    finally:
        logger.removeHandler(handler)
    assert "[number removed]" in written.getvalue()
    assert "Traceback" in written.getvalue()
    assert GOOD not in written.getvalue()
    assert GOOD[:8] not in written.getvalue()


def test_a_log_keeps_our_own_identifiers() -> None:
    for kept in ("/pay/12345678-1234-4123-8123-123456789012/bank/", "port 8000", "2 of 400 at 10.0.0.1"):
        assert redact_digits(kept) == kept
