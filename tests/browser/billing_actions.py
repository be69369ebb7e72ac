"""What staff do with what is owed: bills on paper, corrections, coverage to be ended, starts, lists to take away."""

from datetime import timedelta

from billing.due_dates import next_month
from billing.models import Correction, Outage, PrintBatch
from tests.browser.office import Office, find_quiet_day
from tests.browser.staff_actions import (
    ASKED,
    AUDITOR,
    CASHIER,
    REVIEWER,
    SHOW,
    SUPERVISOR,
    WHY,
    Action,
    Case,
    Typed,
    in_list,
    on,
)


def own_correction(office: Office) -> Case:
    """One that the cashier asked for."""
    correction = office.correction(by=office.staff[CASHIER])
    return Case(correction, (correction.pk,))


def adjust(office: Office) -> Case:
    """A month of somebody's."""
    account = office.rich_account()
    month = account.enrollment.coverage_start.isoformat()
    return Case(account, (account.pk,), {"Coverage month:": month, "Amount:": "1.00"})


def waive(office: Office) -> Case:
    """The first month of somebody's."""
    account = office.rich_account()
    month = account.enrollment.coverage_start.isoformat()
    return Case(account, (account.pk,), {"First month:": month, "Last month:": month})


def give_time(office: Office) -> Case:
    """Two more days."""
    account = office.rich_account()
    due = account.invoices.get().due_date + timedelta(days=2)
    month = account.enrollment.coverage_start.isoformat()
    return Case(account, (account.pk,), {"Coverage month:": month, "New due date:": due.isoformat()})


def move_month(office: Office) -> Case:
    """For everyone, where nobody is billed yet."""
    month = next_month(office.today, count=2)
    due = next_month(month, count=-1).replace(day=25)
    return Case(Correction, (), {"Coverage month:": month.isoformat(), "New due date:": due.isoformat()})


def record_outage(office: Office) -> Case:
    """An evening on which nothing was due."""
    day = find_quiet_day(office.today)
    return Case(Outage, (), {"From (Eastern):": f"{day} 20:00", "To (Eastern):": f"{day} 22:30"})


def tick_listed(office: Office) -> Case:
    """Coverage to be ended, by its tick."""
    episode = office.episode()
    enrollment = episode.account.enrollment
    return Case(type(episode), (), {f"End {enrollment.plan.name} of {enrollment.member.full_name}": True})


def make_batch(office: Office) -> Case:
    """A bill that waits for its batch."""
    assert office.rich_account()
    return Case(PrintBatch, ("bills",))


OUTAGE: Typed = {"What was down:": "The bank page", "Public words:": "You could not pay that evening."}
BILLING = (
    Action(
        "billing_printbatch_make",
        CASHIER,
        REVIEWER,
        make_batch,
        "Make a batch of bills",
        says="is being drawn",
    ),
    Action(
        "billing_printbatch_close",
        CASHIER,
        AUDITOR,
        on(Office.batch),
        "All is in the mail: count it as sent",
        says="Closed.",
    ),
    Action(
        "billing_billlink_revoke",
        CASHIER,
        REVIEWER,
        on(Office.bill_link),
        "Revoke this code",
        says="Revoked.",
    ),
    Action(
        "billing_correction_approve",
        SUPERVISOR,
        CASHIER,
        on(Office.correction),
        "Approve this correction",
        says="Approved, and done.",
    ),
    Action(
        "billing_correction_decline",
        *(SUPERVISOR, AUDITOR, on(Office.correction), "Decline"),
        typed={"Why it is declined:": "no such rate"},
        says="Declined.",
    ),
    Action(
        "billing_correction_withdraw",
        *(CASHIER, SUPERVISOR, own_correction, "Withdraw"),
        typed={"Why it is withdrawn:": "a mistake"},
        says="Withdrawn.",
    ),
    Action(
        "billing_correction_month",
        *(SUPERVISOR, CASHIER, move_month, "Move a month’s due date for everyone"),
        pressed=(SHOW, "Ask for this due date"),
        typed=WHY,
        says=ASKED,
    ),
    Action(
        "billing_correction_outage",
        *(SUPERVISOR, CASHIER, record_outage, "Record an outage"),
        pressed=(SHOW, "Record this outage"),
        typed=OUTAGE,
        says="Recorded.",
    ),
    Action(
        "billing_episode_confirm",
        *(SUPERVISOR, CASHIER, tick_listed, "End the coverage that is ticked"),
        listed="billing_episode_terminations",
        says="Ended: 1.",
    ),
    Action(
        "billing_episode_end", SUPERVISOR, CASHIER, on(Office.episode), "End this coverage", says="Ended."
    ),
    Action(
        "billing_episode_keep",
        *(SUPERVISOR, AUDITOR, on(Office.episode), "Keep this coverage"),
        typed={"Why it is kept:": "she paid at the counter"},
        says="Kept.",
    ),
    Action(
        "billing_episode_ask",
        *(SUPERVISOR, CASHIER, on(lambda office: office.episode(ended=True)), "The member asks for it back"),
        says="Written down.",
    ),
    Action(
        "billing_episode_approve",
        *(SUPERVISOR, CASHIER, on(lambda office: office.episode(paid=True)), "Approve the reinstatement"),
        says="Reinstated.",
    ),
    Action(
        "billing_episode_decline",
        *(SUPERVISOR, REVIEWER, on(lambda office: office.episode(asked=True)), "Decline"),
        typed={"Why it is declined:": "nothing was paid"},
        says="Declined.",
    ),
    Action(
        "billing_startreview_decide",
        *(SUPERVISOR, CASHIER, on(Office.start_review), "Decide where coverage starts"),
        pressed=("Decide this start",),
        typed={"Coverage starts where it stands": True, **WHY},
        says="Decided.",
    ),
    Action(
        "billing_account_adjust",
        *(CASHIER, REVIEWER, adjust, "Adjust a month"),
        pressed=(SHOW, "Adjust this month"),
        typed=WHY,
        says="Done.",
    ),
    Action(
        "billing_account_waive",
        *(CASHIER, AUDITOR, waive, "Waive premiums in hardship"),
        pressed=(SHOW, "Waive these premiums"),
        typed=WHY,
        says=ASKED,
    ),
    Action(
        "billing_account_due_date",
        *(CASHIER, REVIEWER, give_time, "Give this account more time to pay"),
        pressed=(SHOW, "Give more time"),
        typed=WHY,
        says="Done.",
    ),
    Action(
        "billing_movement_close",
        *(AUDITOR, CASHIER, in_list("billing.Movement"), "Month close"),
        pressed=("Show the month", "Take the CSV"),
        typed={"Month:": "2020-01"},
        takes_away=True,
    ),
    Action(
        "billing_movement_export",
        *(AUDITOR, CASHIER, in_list("billing.Movement"), "Export CSV"),
        pressed=("Export CSV",),
        typed=WHY,
        takes_away=True,
    ),
)
