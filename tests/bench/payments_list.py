"""B7: the staff's list of five million payments, filtered and deep, beside bare SQL and the same page of rows in hand."""

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from connector_pay.lib.keyset_list import OLDER, KeysetChangeList
from tests import databases
from tests.bench.measuring import ROUNDS, Figure
from tests.people import make_plan, make_staff, pass_second_step

FULL_SIZE = 5_000_000
SCRATCH = "bench_payments"
PAGE, TIMES = 50, 2
PATH = "/admin/payments/payment/"
PLAIN_FILES = "django.contrib.staticfiles.storage.StaticFilesStorage"  # nothing has been collected here
# An exchange of 400,000 accounts and a year's payments: 1.5 in 100 came back, 1 in 50 by phone, a tenth in the last days.
FILL = """
INSERT INTO members_member (member_id, first_name, last_name, date_of_birth, email, phone, language, street, city, state,
                            zip_code, paperless_bills, paperless_notices)
SELECT lpad(n::text, 12, '0'), 'First' || n %% 5003, 'Last' || n %% 50021, '1990-01-01', 'm' || n || '@example.org',
       '+1413' || lpad(n::text, 7, '0'), 'en', '1 Road', 'Boston', 'MA', '02108', false, false
FROM generate_series(1, %(accounts)s) AS n;
INSERT INTO members_enrollment (external_id, member_id, plan_id, status, requested_start, coverage_start, window_ends, subsidized,
                                enrolled_at)
SELECT 'E' || member.id, member.id, CASE WHEN member.id %% 4 = 0 THEN %(dental)s ELSE %(health)s END, 'active', '2026-01-01',
       '2026-01-01', '2026-03-01', false, '2025-12-01' FROM members_member AS member;
INSERT INTO billing_account (enrollment_id, opened_at) SELECT id, enrolled_at FROM members_enrollment;
INSERT INTO lib_sealedvalue (id, purpose, token) SELECT gen_random_uuid(), 'account_number', 'x'
FROM generate_series(1, %(accounts)s);
INSERT INTO payments_bankaccount (holder_name, kind, routing_number, last_four, blind_index, sealed_id, status, nickname,
                                  added_at)
SELECT 'Somebody', 'checking', '011000015', lpad((row_number() OVER () %% 10000)::text, 4, '0'), '', id, 'valid', '',
       '2025-12-01'
FROM lib_sealedvalue;
INSERT INTO payments_authorization (account_id, bank_account_id, channel, sec_code, recurring, amount_cents, debit_on_or_after,
                                    text, text_version, language, payer_name, account_last_four, given_at, browser)
SELECT (SELECT min(id) FROM billing_account), (SELECT min(id) FROM payments_bankaccount), 'web', 'WEB', true, 1000000,
       '2026-01-01', '', '', 'en', '', '', '2025-12-01', '';
"""
PAYMENTS = """
INSERT INTO payments_payment (confirmation_number, account_id, bank_account_id, authorization_id, amount_cents, received_date,
                              status, channel, form_key, session_digest, coverage_sentence, receipt_email, recorded_at,
                              return_code, retry_number)
SELECT lpad(upper(to_hex(n)), 10, 'X'), least.account + n::bigint * 7919 %% %(accounts)s,
       least.bank + n::bigint * 7919 %% %(accounts)s, least.proof, 10000 + n %% 50000,
       (moment AT TIME ZONE 'America/New_York')::date,
       CASE WHEN n > %(payments)s * 0.99 THEN 'recorded' WHEN n > %(payments)s * 0.97 THEN 'sent'
            WHEN n %% 200 < 3 THEN 'returned' WHEN n %% 101 = 0 THEN 'canceled' ELSE 'posted' END,
       CASE WHEN n %% 50 = 0 THEN 'phone' WHEN n %% 10 < 2 THEN 'guest' ELSE 'web' END,
       gen_random_uuid(), '', 'Received today.', '', moment, '', 0
FROM (SELECT min(account.id) AS account, (SELECT min(id) FROM payments_bankaccount) AS bank,
             (SELECT min(id) FROM payments_authorization) AS proof FROM billing_account AS account) AS least,
     generate_series(%(first)s, %(last)s) AS n,
     LATERAL (SELECT timestamptz '2026-01-01 09:00 America/New_York' + n * interval '360 days' / %(payments)s AS moment) AS made
"""
SHOWN = """
SELECT payment.*, member.*, enrollment.*, account.*, bank.*
FROM payments_payment AS payment JOIN billing_account AS account ON account.id = payment.account_id
JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
JOIN members_plan AS plan ON plan.id = enrollment.plan_id
JOIN members_member AS member ON member.id = enrollment.member_id
JOIN payments_bankaccount AS bank ON bank.id = payment.bank_account_id
WHERE {where} AND (payment.recorded_at, payment.id) < (%s, %s)
ORDER BY payment.recorded_at DESC, payment.id DESC LIMIT 51
"""
FILTERS = {
    "": "TRUE",
    "status__exact=posted": "payment.status = 'posted'",
    "status__exact=returned": "payment.status = 'returned'",
    "status__exact=recorded": "payment.status = 'recorded'",
    "status__exact=sending": "payment.status = 'sending'",
    "channel__exact=phone": "payment.channel = 'phone'",
    "account__enrollment__plan__product__exact=dental": "plan.product = 'dental'",
    # the newest month, as the list's own filter asks
    "received_date__gte=2026-12-01&received_date__lt=2027-01-01": "payment.received_date >= '2026-12-01' "
    "AND payment.received_date < '2027-01-01'",
    "status__exact=returned&channel__exact=phone": "payment.status = 'returned' AND payment.channel = 'phone'",
    "q=0000 0000 0017": "member.member_id = '000000000017'",
}
PLACES = """
SELECT payment.recorded_at, payment.id FROM payments_payment AS payment JOIN billing_account AS account ON account.id = account_id
JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
JOIN members_plan AS plan ON plan.id = enrollment.plan_id JOIN members_member AS member ON member.id = enrollment.member_id
WHERE {where} AND payment.id % 97 < 2 ORDER BY payment.recorded_at DESC, payment.id DESC
"""
NEWEST = (datetime(2100, 1, 1, tzinfo=UTC), 0)
DEPTHS = (0.0, 0.5, 0.9)  # after how much of what is found a page begins


@dataclass(frozen=True)
class Request:
    """A page that is asked for: its address, and the bare statement that reads its rows."""

    address: str
    statement: str
    params: tuple[Any, ...]


def measure(*, size: int) -> Iterator[Figure]:
    """Each page in turn through the whole portal, and as bare SQL with the same page drawn from rows in hand."""
    databases.clone(template=databases.prepare_template(), name=SCRATCH)
    plain = {**settings.STORAGES, "staticfiles": {"BACKEND": PLAIN_FILES}}
    with databases.another_database(SCRATCH), override_settings(STORAGES=plain):
        # A year's payments that stand at their ends are not led along their arrows one by one.
        databases.let_begin_anywhere(SCRATCH, table="payments_payment", how="DISABLE")
        fill(size=size)
        connection.close()
        databases.let_begin_anywhere(SCRATCH, table="payments_payment", how="ENABLE")
        databases.analyze(SCRATCH)
        client = Client(SERVER_NAME="localhost")
        staff = make_staff()
        client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
        pass_second_step(client, staff)
        requests = list_requests()
        ratios, p95s = [], []
        for number in range(ROUNDS + 1):
            ours, bare = measure_round(client, requests)
            if number:  # the first warms both
                ratios.append(ours / bare)
                p95s.append((ours, bare))
        statements = count_statements(client, requests[0])
    databases.drop(SCRATCH)
    ours, bare = (statistics.median(side) * 1000 for side in zip(*p95s, strict=True))
    yield Figure(
        "B7",
        "staff payment list, p95 / bare keyset SQL and a fixed page",
        f"{size:,}",
        statistics.median(ratios),
        f"{min(ratios):.2f}-{max(ratios):.2f}",
        1.2,
        f"{ours:.0f} ms, bare {bare:.0f} ms, {statements} statements",
    )


def fill(*, size: int) -> None:
    """Members, accounts and payments by SQL, as the application's own role."""
    accounts = max(size * 400_000 // FULL_SIZE, 1_000)
    facts = {"health": make_plan().pk, "dental": make_plan(product="dental").pk, "accounts": accounts}
    with connection.cursor() as cursor:
        cursor.execute(FILL, facts)
        for first in range(1, size + 1, 500_000):
            last = min(first + 499_999, size)
            cursor.execute(PAYMENTS, {"accounts": accounts, "payments": size, "first": first, "last": last})
            print(f"B7: {last:,} payments", file=sys.stderr, flush=True)


def list_requests() -> list[Request]:
    """Each filter from its newest page, from the middle of what it finds and from near the end."""
    asked = []
    for query, where in FILTERS.items():
        places = read_places(where)
        for depth in DEPTHS:
            row = int(len(places) * depth)
            moment, key = places[row] if depth and places else NEWEST
            older = f"&{OLDER}={moment.isoformat().replace('+', '%2B')},{key}" if depth and places else ""
            address = f"{PATH}?{query}{older}".replace(" ", "+")
            asked.append(Request(address, SHOWN.format(where=where), (moment, key)))
    return asked


def read_places(where: str) -> list[tuple[datetime, int]]:
    """Where pages of a filter may begin: a hundred of the places of what it finds, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(PLACES.format(where=where))
        found = cursor.fetchall()
    return found[:: max(len(found) // 100, 1)]


def measure_round(client: Client, requests: Sequence[Request]) -> tuple[float, float]:
    """The 95th percentile of each side, the two measured in turn."""
    ours, bare = [], []
    for number in range(TIMES):
        for place, request in enumerate(requests):
            sides = [(ours, time_ours), (bare, time_bare)]
            for times, side in sides if (number + place) % 2 else sides[::-1]:
                times.append(side(client, request))
    return statistics.quantiles(ours, n=20)[-1], statistics.quantiles(bare, n=20)[-1]


def time_ours(client: Client, request: Request) -> float:
    """Seconds of the page as staff get it."""
    start = time.perf_counter()
    answer = client.get(request.address)
    seconds = time.perf_counter() - start
    assert answer.status_code == 200
    return seconds


def time_bare(client: Client, request: Request) -> float:
    """Seconds of the bare statement and of the page around rows that are at hand."""
    rows = take_rows(client, request)
    start = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(request.statement, request.params)
        found = cursor.fetchall()
    with mock.patch.object(KeysetChangeList, "_read_page", return_value=rows):
        answer = client.get(request.address)
    seconds = time.perf_counter() - start
    assert answer.status_code == 200
    assert [row[0] for row in found[:PAGE]] == [row.pk for row in rows[0]]
    return seconds


_taken: dict[str, tuple[list[Any], bool, bool]] = {}


def take_rows(client: Client, request: Request) -> tuple[list[Any], bool, bool]:
    """The rows of a page, read once; both sides show the same ones."""
    if request.address not in _taken:
        read = KeysetChangeList._read_page

        def keep(changes: KeysetChangeList) -> tuple[list[Any], bool, bool]:
            _taken[request.address] = read(changes)
            return _taken[request.address]

        with mock.patch.object(KeysetChangeList, "_read_page", keep):
            client.get(request.address)
    return _taken[request.address]


def count_statements(client: Client, request: Request) -> int:
    """How many questions one page asks."""
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        client.get(request.address)
    return len(asked)
