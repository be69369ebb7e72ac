"""What is told of falling behind: past due, the warning, the end of coverage, and its return; each notice once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from billing.balances import Standing
from billing.models import Episode
from billing.policy import read_policy
from members.outbox import Telling, read_told, tell

PAST_DUE, WARNING = "past_due", "termination_warning"


def tell_behind(
    *, episodes: Sequence[Episode], standings: Mapping[int, Standing], today: date, at: datetime
) -> int:
    """Tell each notice whose day has come: what to pay, by when, and what happens otherwise. Returns how many were new."""
    due = [(item, day) for item in episodes for day in item.ladder.list_due_notices(today=today)]
    told = _read_told(due)
    tellings = [
        _tell_one(item, day, standings[item.account_id], today=today)
        for item, day in due
        if _name_notice(item, day) not in told
    ]
    tell(tellings=tellings, at=at, today=today)
    return len(tellings)


def find_told(*, episodes: Sequence[Episode]) -> set[int]:
    """The episodes whose every notice has gone out."""
    notices = [(item, day) for item in episodes for day in item.ladder.notice_dates]
    told = _read_told(notices)
    missing = {item.pk for item, day in notices if not told.get(_name_notice(item, day))}
    return {item.pk for item in episodes} - missing


def tell_ended(
    *, episodes: Iterable[Episode], standings: Mapping[int, Standing], today: date, at: datetime
) -> None:
    """Tell that coverage has ended: its last day, what is still owed, and until when to ask for it back."""
    ask_by = today + timedelta(days=read_policy().reinstatement_days)
    tell(
        tellings=[
            _make(
                "termination",
                item,
                standings[item.account_id],
                end_date=item.ended_on,
                ask_by_date=ask_by,
                amount_cents=standings[item.account_id].due_cents,
            )
            for item in episodes
        ],
        at=at,
        today=today,
    )


def tell_reinstated(*, episode: Episode, standing: Standing, today: date, at: datetime) -> None:
    """Tell that coverage goes on as if it had never ended."""
    tell(tellings=[_make("reinstated", episode, standing, end_date=episode.ended_on)], at=at, today=today)


def _read_told(notices: Iterable[tuple[Episode, date]]) -> dict[tuple[str, str], bool]:
    subjects = [_name_subject(item, day) for item, day in notices]
    return read_told(events=[PAST_DUE, WARNING], subjects=subjects) if subjects else {}


def _name_subject(episode: Episode, day: date) -> str:
    return f"episode:{episode.pk}:{day}"


def _name_notice(episode: Episode, day: date) -> tuple[str, str]:
    """The last notice of a ladder is the warning."""
    event = WARNING if episode.ladder.is_last_notice(day) else PAST_DUE
    return event, _name_subject(episode, day)


def _tell_one(episode: Episode, day: date, standing: Standing, *, today: date) -> Telling:
    event, subject = _name_notice(episode, day)
    ladder = episode.ladder
    before = ladder.find_asked_before(today=today)
    asked = sum(bill.remaining_cents for bill in standing.open_invoices if bill.due_date < before)
    end = _describe_end(ladder.ends_on, today=today)
    pay_by = ladder.last_day_to_pay
    return _make(event, episode, standing, subject=subject, amount_cents=asked, pay_by_date=pay_by, **end)


def _describe_end(ends_on: date | None, *, today: date) -> dict[str, object]:
    """The last day of coverage, where staff do not choose it, and whether it lies behind already."""
    return {"end_date": ends_on, "end_is_past": ends_on < today} if ends_on else {}


def _make(event: str, episode: Episode, standing: Standing, *, subject: str = "", **facts: object) -> Telling:
    named = {"product": standing.product, "plan_name": standing.plan_name}
    return Telling(
        event=event,
        subject=subject or f"episode:{episode.pk}",
        member=episode.account.enrollment.member,
        facts=named | facts,
    )
