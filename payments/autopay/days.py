"""Draft days: the 22nd counts as received, its debit is the first banking day on or after it, its file goes the day before."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from billing.due_dates import next_month
from billing.policy import read_policy
from connector_pay.lib.clock import EASTERN, eastern_moment
from payments.ach.banking_days import BankingCalendar

BEFORE_THE_FILE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DraftDay:
    """One month's draft: the day it counts as received, the banking day of its debit, and the one on which its file is cut."""

    received_date: date
    debit_date: date
    cut_date: date

    def is_cut(self, *, at: datetime) -> bool:
        """Whether its drafts are recorded by now: what is turned on later comes too late."""
        return at >= eastern_moment(day=self.cut_date, at=find_drafting_time())


def find_drafting_time() -> time:
    """The Eastern time at which drafts are recorded: shortly before the file they go into."""
    return (datetime.combine(date.min, read_policy().file_cutoff) - BEFORE_THE_FILE).time()


def find_draft_day(*, month: date, calendar: BankingCalendar) -> DraftDay:
    """The draft of the month that the date lies in."""
    received = month.replace(day=read_policy().autopay_day)
    debit = calendar.roll_forward(received)
    return DraftDay(received_date=received, debit_date=debit, cut_date=calendar.add(debit, -1))


def find_cut(*, today: date, calendar: BankingCalendar) -> DraftDay | None:
    """The draft whose file is cut today, if one is."""
    draft = find_draft_day(month=today, calendar=calendar)
    return draft if draft.cut_date == today else None


def find_next_draft(*, at: datetime, calendar: BankingCalendar) -> DraftDay:
    """The first draft that is not recorded yet."""
    today = at.astimezone(EASTERN).date()
    draft = find_draft_day(month=today, calendar=calendar)
    return draft if not draft.is_cut(at=at) else find_following(draft=draft, calendar=calendar)


def find_first_draft(*, at: datetime, waiting_days: int = 0, calendar: BankingCalendar) -> DraftDay:
    """The first draft of AutoPay turned on now: next month's, if it is later than the 19th or than the file is cut.

    `waiting_days`: the banking days until the bank account is answered for, which must be over by the cut.
    """
    today = at.astimezone(EASTERN).date()
    draft = find_draft_day(month=today, calendar=calendar)
    is_too_late = today.day > read_policy().autopay_last_day or draft.is_cut(at=at)
    valid_on = calendar.add(calendar.roll_forward(today), waiting_days)
    while is_too_late or valid_on > draft.cut_date:
        draft, is_too_late = find_following(draft=draft, calendar=calendar), False
    return draft


def find_following(*, draft: DraftDay, calendar: BankingCalendar) -> DraftDay:
    """The draft of the month after."""
    return find_draft_day(month=next_month(draft.received_date), calendar=calendar)
