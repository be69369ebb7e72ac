"""Intake: what the exchange sends about enrollments goes in, each event once, in the order of the file.

A bad line is named by its number and reason, the good ones go in. Lines are applied some hundreds at a time,
each such chunk whole or not at all: after a crash, the same file again continues where it stopped.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction

from connector_pay.lib.clock import business_date
from members.enrollment_events import EnrollmentEvent, UnableToReadEvent, read_event
from members.known_records import KnownRecords
from members.models import Carrier, Enrollment, EnrollmentStatus, IntakeEvent, Member, Plan, PremiumRate

CHUNK_LINES = 500
ENROLLMENT_WINDOW_DAYS = 60
_LOCK_KEY = 7_336_003


@dataclass(frozen=True, order=True)
class BadLine:
    """A line that did not go in: its number in the file, and why."""

    number: int
    reason: str


@dataclass
class IntakeResult:
    """How many events went in, how many had gone in before, and which lines were bad."""

    applied: int = 0
    repeated: int = 0
    bad: list[BadLine] = field(default_factory=list)


class UnableToApplyEvent(Exception):
    """The event contradicts what the exchange said before."""


def apply_events(
    *, lines: Iterable[str], at: datetime, window_days: int = ENROLLMENT_WINDOW_DAYS
) -> IntakeResult:
    """Apply the events of JSON Lines; blank lines are passed over.

    `window_days` is how long after the requested start a first payment may start coverage, where the event
    has no `window_ends`.
    """
    result = IntakeResult()
    numbered = enumerate(lines, start=1)
    while chunk := list(islice(numbered, CHUNK_LINES)):
        done = _apply_chunk(chunk=chunk, at=at, window_days=window_days)
        result.applied += done.applied
        result.repeated += done.repeated
        result.bad += sorted(done.bad)
    return result


# Of the words about a month that has come, or about the one in which coverage starts, the latest about the latest month.
# Worked out once, before the join: of tables that have just been filled PostgreSQL has no idea how large they are.
TAKE_UP = """
    WITH word AS MATERIALIZED (
        SELECT DISTINCT ON (rate.enrollment_id) rate.enrollment_id, rate.{column}
        FROM members_premiumrate AS rate JOIN members_enrollment AS enrollment ON enrollment.id = rate.enrollment_id
        WHERE rate.{column} IS NOT NULL
            AND (rate.from_month <= %(today)s OR rate.from_month <= enrollment.coverage_start)
            AND (%(enrollment_ids)s::bigint[] IS NULL OR rate.enrollment_id = ANY(%(enrollment_ids)s))
        ORDER BY rate.enrollment_id, rate.from_month DESC, rate.id DESC
    )
    UPDATE members_enrollment AS enrollment SET {column} = word.{column} FROM word
    WHERE word.enrollment_id = enrollment.id AND enrollment.{column} <> word.{column}
"""


def take_up_changes(*, today: date) -> int:
    """The plan and the subsidy of each enrollment are those said for today's month; returns how many changed.

    Before coverage has started they are those of the month in which it starts. Safe to run at any time, or twice.
    """
    with transaction.atomic():
        _keep_others_waiting()
        return _take_up(None, today=today)


def _take_up(enrollment_ids: list[int] | None, *, today: date) -> int:
    changed = 0
    with connection.cursor() as cursor:
        for column in ("plan_id", "subsidized"):
            facts = {"today": today, "enrollment_ids": enrollment_ids}
            cursor.execute(TAKE_UP.format(column=column), facts)
            changed += cursor.rowcount
    return changed


def _keep_others_waiting() -> None:
    """Until the transaction ends, so that what was read of enrollments stays true."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])


def _apply_chunk(*, chunk: list[tuple[int, str]], at: datetime, window_days: int) -> IntakeResult:
    """Apply some lines in one transaction; other intakes wait, so that what was read stays true."""
    done = IntakeResult()
    events = dict(_read_lines(chunk=chunk, today=business_date(moment=at), bad=done.bad))
    with transaction.atomic():
        _keep_others_waiting()
        known = KnownRecords.load(events=list(events.values()))
        for number, event in events.items():
            try:
                if _apply(event, known=known, at=at, window_days=window_days):
                    done.applied += 1
                else:
                    done.repeated += 1
            except UnableToApplyEvent as error:
                done.bad.append(BadLine(number, str(error)))
        known.save()
        named = {event.enrollment_id for event in events.values() if event.kind == "change"}
        changed = [known.enrollments[name].pk for name in sorted(named & known.enrollments.keys())]
        if changed:
            _take_up(changed, today=business_date(moment=at))
    return done


def _read_lines(
    *, chunk: list[tuple[int, str]], today: date, bad: list[BadLine]
) -> Iterator[tuple[int, EnrollmentEvent]]:
    for number, line in chunk:
        if line.strip():
            try:
                yield number, read_event(line=line, today=today)
            except UnableToReadEvent as error:
                bad.append(BadLine(number, str(error)))


def _apply(event: EnrollmentEvent, *, known: KnownRecords, at: datetime, window_days: int) -> bool:
    """Apply one event; False if it went in before. Where it raises, nothing has been changed."""
    if event.event_id in known.seen:
        if known.seen[event.event_id] != event.sha256:
            raise UnableToApplyEvent(f"event {event.event_id} went in before with other content")
        return False
    if event.kind == "enroll":
        enrollment = _enroll(event, known=known, at=at, window_days=window_days)
    else:
        enrollment = _find_enrollment(event, known=known)
        {"change": _change, "end": _end, "member": _change_member}[event.kind](event, enrollment, known, at)
    known.seen[event.event_id] = event.sha256
    known.events.append(
        IntakeEvent(
            event_id=event.event_id,
            kind=event.kind,
            enrollment=enrollment,
            sha256=event.sha256,
            applied_at=at,
        )
    )
    return True


def _find_enrollment(event: EnrollmentEvent, *, known: KnownRecords) -> Enrollment:
    if event.enrollment_id not in known.enrollments:
        raise UnableToApplyEvent(f"enrollment {event.enrollment_id} is unknown")
    return known.enrollments[event.enrollment_id]


def _enroll(event: EnrollmentEvent, *, known: KnownRecords, at: datetime, window_days: int) -> Enrollment:
    """A new enrollment, waiting for its first payment; coverage stands to start when it was asked for."""
    facts = event.facts
    if event.enrollment_id in known.enrollments:
        raise UnableToApplyEvent(f"enrollment {event.enrollment_id} is known already")
    start = facts["requested_start"]
    if start <= business_date(moment=at) and "binder_due_date" not in facts:
        raise UnableToApplyEvent("binder_due_date is missing, and the requested month has begun")
    _check_plan(facts["plan"], known=known)
    member = _keep_member(facts["member"], known=known)
    enrollment = Enrollment(
        external_id=event.enrollment_id,
        member=member,
        plan=_keep_plan(facts["plan"], known=known),
        requested_start=start,
        coverage_start=start,
        window_ends=facts.get("window_ends", start + timedelta(days=window_days)),
        binder_due_date=facts.get("binder_due_date"),
        subsidized=_is_subsidized(facts),
        enrolled_at=at,
    )
    known.enrollments[event.enrollment_id] = enrollment
    _keep_rate(enrollment, facts, known=known, month=start, at=at, plan=enrollment.plan)
    return enrollment


def _change(event: EnrollmentEvent, enrollment: Enrollment, known: KnownRecords, at: datetime) -> None:
    """Another price from a month on, perhaps another plan of the same carrier and product.

    Until that month has come the enrollment's plan and subsidy stay what they are.
    """
    facts = event.facts
    month = facts["from_month"]
    if month < enrollment.requested_start:
        raise UnableToApplyEvent(f"from_month is before the requested start, {enrollment.requested_start}")
    if enrollment.ends_on and month > enrollment.ends_on:
        raise UnableToApplyEvent(f"from_month is after the end of coverage, {enrollment.ends_on}")
    if "plan" in facts:
        _check_plan(facts["plan"], known=known)
        _check_same_carrier(facts["plan"], enrollment=enrollment)
    _check_same_member(facts.get("member", {}), enrollment=enrollment)
    known.change_member(enrollment.member, facts.get("member", {}))
    plan = _keep_plan(facts["plan"], known=known) if "plan" in facts else None
    _keep_rate(enrollment, facts, known=known, month=month, at=at, plan=plan)


def _end(event: EnrollmentEvent, enrollment: Enrollment, known: KnownRecords, _at: datetime) -> None:
    """Coverage ends with a month; `coverage.end_passed` moves the enrollment once that day has passed."""
    ends_on = event.facts["ends_on"]
    if ends_on < enrollment.requested_start:
        raise UnableToApplyEvent(f"ends_on is before the requested start, {enrollment.requested_start}")
    if enrollment.status == EnrollmentStatus.ENDED:
        raise UnableToApplyEvent(f"coverage has ended already, on {enrollment.ends_on}")
    known.change(enrollment, {"ends_on": ends_on})


def _change_member(
    event: EnrollmentEvent, enrollment: Enrollment, known: KnownRecords, _at: datetime
) -> None:
    """A new address, phone number, email, language or name, or a corrected date of birth; not what the member chose here."""
    _check_same_member(event.facts["member"], enrollment=enrollment)
    known.change_member(enrollment.member, event.facts["member"])


def _check_same_member(facts: dict[str, Any], *, enrollment: Enrollment) -> None:
    if facts.get("member_id", enrollment.member.member_id) != enrollment.member.member_id:
        raise UnableToApplyEvent(f"member.member_id is not that of enrollment {enrollment.external_id}")


def _check_plan(facts: dict[str, Any], *, known: KnownRecords) -> None:
    """A plan keeps its product and its carrier for good."""
    plan = known.plans.get(facts["code"])
    if plan and plan.product != facts["product"]:
        raise UnableToApplyEvent(f"plan {plan.code} is a {plan.product} plan")
    if plan and plan.carrier.code != facts["carrier"]["code"]:
        raise UnableToApplyEvent(f"plan {plan.code} is of carrier {plan.carrier.code}")


def _check_same_carrier(facts: dict[str, Any], *, enrollment: Enrollment) -> None:
    plan = enrollment.plan
    if facts["carrier"]["code"] != plan.carrier.code:
        raise UnableToApplyEvent("plan is of another carrier: that is a new enrollment")
    if facts["product"] != plan.product:
        raise UnableToApplyEvent("plan is of another product: that is a new enrollment")


def _keep_member(facts: dict[str, Any], *, known: KnownRecords) -> Member:
    """The member with these facts, new or brought up to date. Raises where the date of birth is another."""
    number = facts["member_id"]
    member = known.members.get(number)
    if member is None:
        known.members[number] = member = Member(**facts)
    elif member.date_of_birth != facts["date_of_birth"]:
        raise UnableToApplyEvent(f"member {number} has another date of birth")
    else:
        known.change_member(member, facts)
    return member


def _keep_plan(facts: dict[str, Any], *, known: KnownRecords) -> Plan:
    """The plan with these facts, new or brought up to date, and its carrier."""
    named = facts["carrier"]
    carrier = known.carriers.setdefault(named["code"], Carrier(code=named["code"], name=named["name"]))
    known.change(carrier, {"name": named["name"]})
    columns = {name: value for name, value in facts.items() if name != "carrier"}
    plan = known.plans.setdefault(facts["code"], Plan(carrier=carrier, **columns))
    known.change(plan, columns)
    return plan


def _is_subsidized(facts: Any) -> bool:
    return bool(facts.get("subsidized", facts["subsidy_cents"] > 0))


def _keep_rate(
    enrollment: Enrollment, facts: Any, *, known: KnownRecords, month: date, at: datetime, plan: Plan | None
) -> None:
    known.rates.append(
        PremiumRate(
            enrollment=enrollment,
            from_month=month,
            premium_cents=facts["premium_cents"],
            subsidy_cents=facts["subsidy_cents"],
            plan=plan,
            subsidized=_is_subsidized(facts),
            recorded_at=at,
        )
    )
