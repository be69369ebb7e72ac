"""Bank files: headers as the bank assigned them, and files of the form it wants."""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from connector_pay.checks.saying import refuse
from payments.ach.nacha import LINE_ENDS
from payments.ach.offsets import UnableToReadOffsetAccount, read_offset_account
from payments.ach.routing_numbers import find_routing_fault

FEWEST_LINES, MOST_LINES = 10, 9_999_990  # one block; as many blocks as a file can count
# How each field of a bank file's headers must look: the setting's name, its form, and that form in words.
ACH_FORMS = {
    "immediate_destination": ("ACH_IMMEDIATE_DESTINATION", r" \d{9}", "your bank's 9-digit routing number"),
    "immediate_origin": ("ACH_IMMEDIATE_ORIGIN", r"[ \d]\d{9}", "the 9 or 10 digits your bank knows you by"),
    "destination_name": (
        "ACH_DESTINATION_NAME",
        r"[ -~]{1,23}",
        "your bank's name, 1 to 23 plain characters",
    ),
    "origin_name": ("ACH_ORIGIN_NAME", r"[ -~]{1,23}", "the exchange's name, 1 to 23 plain characters"),
    "company_name": (
        "ACH_COMPANY_NAME",
        r"[ -~]{1,16}",
        "what payers see on their statement, 1 to 16 plain characters",
    ),
    "company_id": ("ACH_COMPANY_ID", r"[0-9A-Z]{10}", "10 digits or capitals, assigned by your bank"),
    "entry_description": (
        "ACH_ENTRY_DESCRIPTION",
        r"[ -~]{1,10}",
        "what payers see on their statement, 1 to 10 plain characters",
    ),
    "odfi": ("ACH_ODFI", r"\d{8}", "the first 8 digits of your bank's routing number"),
}


@register(Tags.security, deploy=True)
def check_bank_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Bank files need headers that the bank accepts."""
    return [*_check_ach(), *_check_ach_files()]


def _check_ach() -> Iterator[CheckMessage]:
    for field, (name, form, words) in ACH_FORMS.items():
        value = settings.ACH[field]
        if not value:
            yield refuse(28, name, "is missing.", f"Set it to {words}.")
        elif not re.fullmatch(form, value):
            yield refuse(29, name, "does not look as a bank file needs it.", f"Set it to {words}.")
        elif field == "immediate_destination" and (fault := find_routing_fault(routing_number=value.strip())):
            yield refuse(40, name, f"{fault}.", f"Set it to {words}.")


def _check_ach_files() -> Iterator[CheckMessage]:
    """How the bank wants its files. What is wrong with the account is said, the account never."""
    if settings.ACH_LINE_END not in LINE_ENDS:
        hint = "Set it to lf or crlf, as your bank asks."
        yield refuse(60, "ACH_LINE_END", f"is {settings.ACH_LINE_END!r}.", hint)
    lines = settings.ACH_LINES_PER_FILE
    if not FEWEST_LINES <= lines <= MOST_LINES:
        hint = f"Set it to {FEWEST_LINES} to {MOST_LINES}; more payments go into further files."
        yield refuse(61, "ACH_LINES_PER_FILE", f"is {lines}.", hint)
    try:
        read_offset_account(text=settings.ACH_OFFSET_ACCOUNT)
    except UnableToReadOffsetAccount as problem:
        hint = "Leave it empty, or set it to ROUTING:ACCOUNT:checking or ROUTING:ACCOUNT:savings."
        yield refuse(62, "ACH_OFFSET_ACCOUNT", f"{problem}.", hint)
