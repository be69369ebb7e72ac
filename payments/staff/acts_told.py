"""What staff did on an account, told on its line: corrections, holds, money moved or dated anew; and the checks that came in."""

from billing.models import Correction, CorrectionMove, ReceiptChange
from connector_pay.lib.money import format_dollars
from payments.confirmation import format_number
from payments.models import CheckMove, CheckShare, MailedCheck, PaymentHold
from payments.staff.telling import Source, Told, link, name_people, say_day


def _tell_correction(correction: Correction) -> Told:
    words = f"Asked for: {correction.get_kind_display().lower()}"
    return Told(words, correction.why, link(correction), correction.asked_by.get_username())


def _tell_correction_move(move: CorrectionMove) -> Told:
    correction = move.correction
    words = f"{correction.get_kind_display()}: {correction.get_status_display().lower()}"
    by = name_people(asked_by=correction.asked_by, decided_by=correction.decided_by)
    return Told(words, move.why, link(correction), by)


def _tell_hold(hold: PaymentHold) -> Told:
    number = format_number(hold.payment.confirmation_number)
    return Told(
        f"Payment {number} is kept out of bank files",
        hold.why,
        link(hold.payment),
        hold.held_by.get_username(),
    )


def _tell_release(hold: PaymentHold) -> Told:
    by = hold.released_by.get_username() if hold.released_by else ""
    number = format_number(hold.payment.confirmation_number)
    return Told(f"Payment {number} is released", hold.release_reason, link(hold.payment), by)


def _tell_change(change: ReceiptChange) -> Told:
    if change.account_before_id == change.account_after_id:
        words = f"Received {say_day(change.received_after)}, not {say_day(change.received_before)}"
    else:
        words = f"Money moved from account {change.account_before_id} to account {change.account_after_id}"
    by = name_people(asked_by=change.by, decided_by=change.approved_by)
    return Told(f"{words}: {format_dollars(change.receipt.cents)}", change.why, link(change.receipt), by)


def _tell_share(share: CheckShare) -> Told:
    check = share.received_check
    words = f"{check.get_kind_display()} {check.number}: {format_dollars(share.cents)} on this account"
    return Told(words, f"received {say_day(check.received_on)}, from {check.payer}", link(check))


def _tell_check_move(move: CheckMove) -> Told:
    check = move.received_check
    return Told(f"Check {check.number}: {move.before} to {move.after}", move.why, link(check))


def _tell_mailed(check: MailedCheck) -> Told:
    number = f" {check.number}" if check.number else ""
    words = f"The member says that check{number} of {format_dollars(check.cents)} is in the mail"
    return Told(
        words, f"mailed {say_day(check.mailed_on)}; expected, not counted", "", check.told_by.get_username()
    )


def _tell_withdrawn(check: MailedCheck) -> Told:
    words = f"The member says that the check of {format_dollars(check.cents)} is not coming"
    return Told(words, "", "", check.told_by.get_username())


ACTS: tuple[Source, ...] = (
    Source("corrections", lambda a: a.corrections.select_related("asked_by"), "asked_at", _tell_correction),
    Source(
        "corrections",
        lambda a: CorrectionMove.objects.filter(correction__account=a).select_related(
            "correction__asked_by", "correction__decided_by"
        ),
        "at",
        _tell_correction_move,
    ),
    Source(
        "corrections",
        lambda a: (
            ReceiptChange.objects.filter(account_before=a) | ReceiptChange.objects.filter(account_after=a)
        ).select_related("receipt", "by", "approved_by"),
        "at",
        _tell_change,
    ),
    Source(
        "payments",
        lambda a: PaymentHold.objects.filter(payment__account=a).select_related("payment", "held_by"),
        "held_at",
        _tell_hold,
    ),
    Source(
        "payments",
        lambda a: PaymentHold.objects.filter(payment__account=a, released_at__isnull=False).select_related(
            "payment", "released_by"
        ),
        "released_at",
        _tell_release,
    ),
    Source("payments", lambda a: a.mailed_checks.select_related("told_by"), "told_at", _tell_mailed),
    Source(
        "payments",
        lambda a: a.mailed_checks.filter(withdrawn_at__isnull=False).select_related("told_by"),
        "withdrawn_at",
        _tell_withdrawn,
    ),
    Source(
        "payments",
        lambda a: a.check_shares.select_related("received_check"),
        "received_check__recorded_at",
        _tell_share,
    ),
    Source(
        "payments",
        lambda a: CheckMove.objects.filter(received_check__shares__account=a).select_related(
            "received_check"
        ),
        "at",
        _tell_check_move,
    ),
)
