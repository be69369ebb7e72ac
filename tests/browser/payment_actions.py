"""What staff do with money: payments, calls, checks, bank accounts, AutoPay, refunds, returns, files."""

from datetime import timedelta
from uuid import UUID

from payments.models import ReceivedCheck
from tests.browser.office import Office
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
from tests.payments import paying


def record_check(office: Office) -> Case:
    """Handed over for an account."""
    return Case(ReceivedCheck, (), {"Account 1:": str(office.account.pk), "Number:": office.next_number()})


def match_check(office: Office) -> Case:
    """It names no account."""
    check = office.check()
    return Case(check, (check.pk,), {"Account 1:": str(office.account.pk)})


def move_money(office: Office) -> Case:
    """Of a payment, from health to dental."""
    receipt = office.payment_receipt()
    return Case(receipt, (receipt.pk,), {"The right account:": str(office.dental.pk)})


def date_check(office: Office) -> Case:
    """A check that came yesterday."""
    receipt = office.check_receipt()
    return Case(receipt, (receipt.pk,), {"Received on:": (office.today - timedelta(days=1)).isoformat()})


def print_refund(office: Office) -> Case:
    """An approved check, among those to be printed."""
    refund = office.refund(approved=True)
    return Case(refund, (refund.pk,), {f"Number of the check for {refund}": "1042"})


def answer_call(office: Office) -> Case:
    """A caller's account."""
    account = office.rich_account()
    return Case(account, (account.pk,))


def read_to_caller(office: Office) -> Case:
    """The same; the address of what is read is that of no draft."""
    return Case(office.rich_account(), (UUID(int=1),))


CALL: Typed = {
    "Name on the account:": "Alice Alvarez",
    "Checking": True,
    "Routing number:": paying.ROUTING,
    "Account number:": "482009876543",
    "Confirm account number:": "482009876543",
}
CHECK: Typed = {"Written by:": "Rosa Delgado", "Amount:": "25.00"}
READ = "Show what to read to the caller"
PAYMENTS = (
    Action(
        "payments_payment_cancel",
        *(CASHIER, REVIEWER, on(Office.pay), "Cancel this payment"),
        pressed=("Cancel this payment",),
        typed=WHY,
        says="Canceled.",
    ),
    Action(
        "payments_payment_hold",
        *(CASHIER, AUDITOR, on(Office.pay), "Hold this payment"),
        pressed=("Hold this payment",),
        typed=WHY,
        says="On hold.",
    ),
    Action(
        "payments_payment_release",
        *(CASHIER, REVIEWER, on(Office.hold), "Release this payment"),
        pressed=("Release this payment",),
        typed=WHY,
        says="Released.",
    ),
    Action(
        "payments_payment_move",
        *(SUPERVISOR, CASHIER, move_money, "Move to another account"),
        pressed=(SHOW, "Move this money"),
        typed=WHY,
        says="Moved, its received date kept.",
    ),
    Action(
        "payments_payment_received_date",
        *(CASHIER, REVIEWER, date_check, "Correct the received date"),
        pressed=(SHOW, "Correct the date"),
        typed=WHY,
        says="",
    ),
    Action(
        "payments_notice_resend",
        *(CASHIER, AUDITOR, on(Office.notice), "Send it again"),
        pressed=("Send it again",),
        typed=WHY,
        says="It goes out",
    ),
    Action(
        "payments_payment_phone",
        *(CASHIER, REVIEWER, answer_call, "Take a payment by phone"),
        pressed=(READ,),
        typed=CALL,
        says="Read this to the caller",
    ),
    Action(
        "payments_payment_phone_read",
        *(CASHIER, AUDITOR, read_to_caller, "Take a payment by phone"),
        pressed=(READ, "Record $"),
        typed={**CALL, "The caller said yes": True},
        says="Recorded.",
    ),
    Action(
        "payments_payment_export",
        *(AUDITOR, CASHIER, in_list("payments.Payment"), "Export CSV"),
        pressed=("Export CSV",),
        typed=WHY,
        takes_away=True,
    ),
    Action(
        "payments_receivedcheck_record",
        *(CASHIER, REVIEWER, record_check, "Record a check or money order"),
        pressed=(SHOW, "Record it"),
        typed=CHECK,
        says="Recorded.",
    ),
    Action(
        "payments_receivedcheck_match",
        *(CASHIER, AUDITOR, match_check, "Put on accounts"),
        pressed=(SHOW, "Put it on these accounts"),
        typed=WHY,
        says="Put on its accounts",
    ),
    Action(
        "payments_receivedcheck_ask_back",
        *(CASHIER, REVIEWER, on(Office.check), "Ask to send it back"),
        pressed=("Ask to send it back",),
        typed=WHY,
        says=ASKED,
    ),
    Action(
        "payments_receivedcheck_send_back",
        *(SUPERVISOR, CASHIER, on(lambda office: office.check(asked_back=True)), "Send it back"),
        pressed=("Send it back",),
        typed=WHY,
        says="Sent back.",
    ),
    Action(
        "payments_receivedcheck_keep",
        *(SUPERVISOR, CASHIER, on(lambda office: office.check(asked_back=True)), "Do not send it back"),
        pressed=("Do not send it back",),
        typed=WHY,
        says="Kept.",
    ),
    Action(
        "payments_receivedcheck_return",
        *(SUPERVISOR, CASHIER, on(lambda office: office.check(on_account=True)), "The bank returned it"),
        pressed=("Record the return",),
        typed=WHY,
        says="Returned.",
    ),
    Action(
        "payments_bankaccount_number",
        *(SUPERVISOR, CASHIER, on(Office.bank_account), "Show the whole account number"),
        pressed=("Show the number",),
        typed=WHY,
        says="This look is written down.",
    ),
    Action(
        "payments_bankaccount_decide",
        SUPERVISOR,
        CASHIER,
        on(Office.bank_account),
        "Approve",
        says="Approved.",
    ),
    Action(
        "payments_bankaccount_decide",
        *(SUPERVISOR, AUDITOR, on(Office.bank_account), "Refuse"),
        typed={"Reason for refusing": "another name"},
        says="Refused.",
    ),
    Action(
        "payments_bankaccount_lift",
        *(SUPERVISOR, CASHIER, on(lambda office: office.bank_account(paused=True)), "Lift the pause"),
        pressed=("Lift the pause",),
        typed=WHY,
        says="The pause is lifted.",
    ),
    Action(
        "payments_mandate_change_state",
        CASHIER,
        REVIEWER,
        on(Office.mandate),
        "Turn AutoPay off",
        says="Done.",
    ),
    Action(
        "payments_mandate_change_state",
        *(CASHIER, AUDITOR, on(lambda office: office.mandate(paused=True)), "Let AutoPay go on"),
        says="Done.",
    ),
    Action(
        "payments_refund_ask",
        *(CASHIER, REVIEWER, on(lambda office: office.credit), "Ask for a refund"),
        pressed=(SHOW, "Ask for this refund"),
        typed={"Amount:": "1.00", "By check": True, **WHY},
        says=ASKED,
    ),
    Action(
        "payments_refund_approve",
        SUPERVISOR,
        CASHIER,
        on(Office.refund),
        "Approve this refund",
        says="Approved.",
    ),
    Action(
        "payments_refund_decline",
        *(SUPERVISOR, AUDITOR, on(Office.refund), "Decline"),
        typed={"Why it is declined:": "no need"},
        says="Declined.",
    ),
    Action(
        "payments_refund_stop",
        *(SUPERVISOR, CASHIER, on(lambda office: office.refund(approved=True)), "Stop this refund"),
        typed={"Why it is stopped:": "paid again"},
        says="Stopped.",
    ),
    Action(
        "payments_refund_print",
        *(SUPERVISOR, CASHIER, print_refund, "Printed"),
        listed="payments_refund_checks",
        says="is printed for",
    ),
    Action(
        "payments_refund_export",
        *(AUDITOR, CASHIER, in_list("payments.Refund"), "Export CSV"),
        pressed=("Export CSV",),
        typed=WHY,
        takes_away=True,
    ),
    Action(
        "payments_returnline_resolve",
        *(CASHIER, REVIEWER, on(Office.parked), "Close this return"),
        typed={"What was done": "Asked the bank"},
        says="Written down.",
    ),
    Action(
        "payments_bankfile_resolve",
        *(SUPERVISOR, CASHIER, on(Office.file), "Say whether the bank has it"),
        pressed=(SHOW, "This is what the bank says"),
        typed={"It has this file": True, "The bank's reference:": "REF 77", "Whom you asked:": "Dana"},
        says="It counts as sent.",
    ),
)
