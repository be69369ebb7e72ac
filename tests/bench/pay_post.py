"""B4: pressing Pay, through every middleware, beside a view that writes one row behind the same ones; B4c: its statements."""

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import Client, RequestFactory, override_settings
from psycopg2 import extensions

from connector_pay.lib import clock
from members.models import Member, User
from payments.models import LookupCount, Payment
from tests import databases
from tests.bench import one_insert
from tests.bench.crowd import Month, make_crowd
from tests.bench.measuring import Figure, time_once
from tests.paying import Shown, get, open_review
from tests.plain_browser import ROUTING

FULL_SIZE = 20_000
SCRATCH, HOST = "bench_pay_post", "localhost"
DAY = date(2027, 1, 12)
START = date(2027, 2, 1)
UNPAID = (Month(START, date(2027, 1, 5), date(2027, 1, 23)),)
POSTS = 20  # of each side in a round
MOST_SLOWER, MOST_STATEMENTS = 2.0, 14
BACKEND = "django.contrib.auth.backends.ModelBackend"
# All of them come from one address.
WIDE = {"guest_find_per_address": 10**6, "guest_find_per_identifier": 10**6, "guest_find_overall": 10**6}
Prepare = Callable[[Member], "Ready"]


@dataclass(frozen=True)
class Ready:
    """A payer at the review, every box ticked, who has only to press Pay."""

    cookies: str
    path: str
    form: dict[str, list[str]]

    def pay(self) -> None:
        """Press it; the answer leads to the confirmation."""
        assert "/confirmation/" in self._post(self.path, self.form)

    def insert(self) -> None:
        """The same browser sends the yardstick's form."""
        token = {"csrfmiddlewaretoken": self.form["csrfmiddlewaretoken"]}
        assert self._post(one_insert.ADDRESS, token) == "/"

    def _post(self, path: str, form: dict[str, list[str]]) -> str:
        """Through the handler that gunicorn calls; returns where the answer leads."""
        environ = RequestFactory(SERVER_NAME=HOST, HTTP_COOKIE=self.cookies).post(path, form).environ
        answer = _handler(environ, lambda _status, _headers: None)
        answer.close()
        assert answer.status_code == 303, answer.status_code
        return str(answer.headers["Location"])


_handler = WSGIHandler()


def measure(*, size: int, rounds: int, verbose: bool) -> Iterator[Figure]:
    """Guests, then members, each with a first bill: the payment that asks and decides most."""
    each = POSTS * rounds + 2  # one to count the statements, one to warm up
    count = max(size, 3 * each)  # one in seven speaks Spanish
    make_crowd(name=SCRATCH, count=count, start=START, status="waiting", months=UNPAID)
    with _open_for_business():
        members = list(Member.objects.filter(language="en").order_by("pk")[: 2 * each])
        kinds: tuple[tuple[str, Prepare], ...] = (("guest", ready_guest), ("member", ready_member))
        for (who, prepare), some in zip(kinds, (members[:each], members[each:]), strict=True):
            ready = [prepare(member) for member in some]
            ready.pop().pay()
            yield count_statements(ready.pop(), who=who, size=count, verbose=verbose)
            yield compare_posts(ready, who=who, size=count, rounds=rounds)
    connection.close()
    databases.drop(SCRATCH)


@contextmanager
def _open_for_business() -> Iterator[None]:
    """The scratch exchange at noon of its day, its clock as in production: no demonstration's is asked for."""
    with ExitStack() as stack:
        stack.enter_context(databases.another_database(SCRATCH))
        stack.enter_context(override_settings(ROOT_URLCONF="tests.bench.one_insert", PREMIUM_POLICY=WIDE))
        clock.stand_at(clock.eastern_moment(day=DAY, at=time(12)))
        stack.callback(clock.stand_at, None)
        yield


def compare_posts(ready: Sequence[Ready], *, who: str, size: int, rounds: int) -> Figure:
    """Each browser pays and sends the yardstick's form, by turns one or the other first; a round has the medians of some."""
    paid, written = Payment.objects.count(), LookupCount.objects.count()
    pairs = [measure_pair(browser, pays_first=number % 2 == 0) for number, browser in enumerate(ready)]
    assert Payment.objects.count() == paid + len(ready)
    assert LookupCount.objects.count() == written + len(ready)
    ratios = [find_ratio(pairs[number::rounds]) for number in range(rounds)]
    middle = statistics.median(ratios)
    ours, bare = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
    detail = f"{1 / middle:.2f} of its requests a second; medians {ours:.1f} and {bare:.1f} ms"
    what = f"Pay of a {who}, full middleware / one INSERT behind the same"
    return Figure(
        "B4", what, f"{size:,}", middle, f"{min(ratios):.2f}-{max(ratios):.2f}", MOST_SLOWER, detail
    )


def measure_pair(browser: Ready, *, pays_first: bool) -> tuple[float, float]:
    """Seconds of the payment, and of the yardstick."""
    if pays_first:
        ours = time_once(browser.pay)
        return ours, time_once(browser.insert)
    bare = time_once(browser.insert)
    return time_once(browser.pay), bare


def find_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """How many times longer the payments of a round took."""
    ours, bare = zip(*pairs, strict=True)
    return statistics.median(ours) / statistics.median(bare)


@dataclass
class Counted:
    """What the driver was asked: statements, savepoints among them, and how many transactions they were in."""

    statements: list[str] = field(default_factory=list)
    transactions: int = 0


def count_statements(browser: Ready, *, who: str, size: int, verbose: bool) -> Figure:
    """All that one press of Pay asks the database, seen at the driver."""
    connection.ensure_connection()
    paid = Payment.objects.count()
    with counted() as found:
        browser.pay()
    assert Payment.objects.count() == paid + 1
    if verbose:
        for number, statement in enumerate(found.statements, start=1):
            print(f"{who} {number:2} {statement}", file=sys.stderr)
    detail = f"in {found.transactions} transactions, whose BEGIN and COMMIT come on top"
    what = f"statements of a {who}'s Pay"
    return Figure("B4c", what, f"{size:,}", len(found.statements), "-", MOST_STATEMENTS, detail)


@contextmanager
def counted() -> Iterator[Counted]:
    """Count what goes through the driver's cursors of this thread's connection."""
    found = Counted()

    class Counting(extensions.cursor):
        def execute(self, query: Any, params: Any = None) -> None:
            """Django's own statements come this way too: SAVEPOINT, SET, SELECT 1."""
            begins = not self.connection.autocommit and self.connection.status == extensions.STATUS_READY
            found.transactions += begins
            super().execute(query, params)
            found.statements.append(" ".join(self.query.decode(errors="replace").split()))

    driver = connection.connection
    before, driver.cursor_factory = driver.cursor_factory, Counting
    try:
        yield found
    finally:
        driver.cursor_factory = before


def ready_guest(member: Member) -> Ready:
    """A guest who gives the date of birth, and so sees what is due."""
    client = Client(enforce_csrf_checks=True, SERVER_NAME=HOST)
    born = member.date_of_birth
    typed = {"identifier": member.member_id, "date_of_birth_month": str(born.month)}
    typed |= {"date_of_birth_day": str(born.day), "date_of_birth_year": str(born.year)}
    bank = get(client, "/guest/").submit(**typed).submit()
    numbers = dict.fromkeys(("account_number", "confirm_account_number"), f"48200{member.pk:07d}")
    review = bank.submit(holder_name="Alice Alvarez", kind="checking", routing_number=ROUTING, **numbers)
    return tick(review)


def ready_member(member: Member) -> Ready:
    """A member who has signed in and types a bank account that is new to us."""
    user = User.objects.create(username=f"member{member.pk}", email=member.email, member=member)
    client = Client(enforce_csrf_checks=True, SERVER_NAME=HOST)
    client.force_login(user, backend=BACKEND)
    return tick(open_review(client, enrollment=None, account=f"48200{member.pk:07d}"))


def tick(review: Shown) -> Ready:
    """Every box of the review ticked."""
    ticks = {name: [value] for name, value in review.form.boxes.items() if name.startswith("authorize")}
    assert ticks, review.text
    cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in review.client.cookies.items())
    return Ready(cookies=cookies, path=review.form.action or review.path, form=review.form.values | ticks)
