"""The bank: one that moves money, headers it accepts, and a way to validate bank accounts."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from connector_pay.checks.saying import refuse
from payments.ach.routing_numbers import find_routing_fault

BANK_DRIVERS = ("folder", "sandbox")
VALIDATION_METHODS = ("instant", "manual")
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
def check_bank(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Debits need a bank that moves money, headers it accepts, and a way to validate bank accounts."""
    return [*_check_bank_driver(), *_check_bank_folder(), *_check_validation(), *_check_ach()]


def _check_bank_driver() -> Iterator[CheckMessage]:
    driver = settings.BANK_DRIVER
    if driver not in BANK_DRIVERS:
        yield refuse(
            22,
            "BANK_DRIVER",
            f"is {driver!r}, which does not exist.",
            f"Choose from: {', '.join(BANK_DRIVERS)}.",
        )
    elif driver == "sandbox" and not settings.DEMO_MODE:
        yield refuse(
            23,
            "BANK_DRIVER",
            "is the sandbox, which moves no money.",
            "Set BANK_DRIVER=folder and BANK_FOLDER.",
        )
    elif driver == "folder" and not settings.BANK_FOLDER:
        hint = "Name the folder that your bank's file transfer empties and fills."
        yield refuse(24, "BANK_FOLDER", "is missing.", hint)


def _check_bank_folder() -> Iterator[CheckMessage]:
    folders = {"folder": ("BANK_FOLDER", settings.BANK_FOLDER)}
    folders["sandbox"] = ("SANDBOX_BANK_DIR", str(settings.SANDBOX_BANK_DIR))
    name, folder = folders.get(settings.BANK_DRIVER, ("", ""))
    if not folder:
        return
    for place in (Path(folder), *(Path(folder) / part for part in ("outgoing", "handed_over"))):
        if not _can_write(place):
            problem = f"cannot be made or written: {place}."
            hint = "Name a folder that this user may make or write to, or give it to this user."
            yield refuse(41, name, problem, hint)
            return


def _can_write(folder: Path) -> bool:
    """Tell whether a file can be made there, or where the folder would be made; nothing stays behind."""
    try:
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        with TemporaryFile(dir=there, prefix=".check-"):
            return True
    except OSError:
        return False


def _check_validation() -> Iterator[CheckMessage]:
    methods = settings.BANK_VALIDATION_METHODS
    if not methods:
        hint = "Set BANK_VALIDATION_METHODS=manual, or more."
        yield refuse(25, "BANK_VALIDATION_METHODS", "is empty: online debits must be validated.", hint)
    for method in methods:
        if method not in VALIDATION_METHODS:
            hint = f"Choose from: {', '.join(VALIDATION_METHODS)}."
            yield refuse(26, "BANK_VALIDATION_METHODS", f"names {method!r}, which does not exist.", hint)
        elif method == "instant" and not settings.DEMO_MODE:
            problem = "names the sandbox's instant provider, which believes every number."
            yield refuse(27, "BANK_VALIDATION_METHODS", problem, "Take it out of the list.")


def _check_ach() -> Iterator[CheckMessage]:
    for field, (name, form, words) in ACH_FORMS.items():
        value = settings.ACH[field]
        if not value:
            yield refuse(28, name, "is missing.", f"Set it to {words}.")
        elif not re.fullmatch(form, value):
            yield refuse(29, name, "does not look as a bank file needs it.", f"Set it to {words}.")
        elif field == "immediate_destination" and (fault := find_routing_fault(routing_number=value.strip())):
            yield refuse(40, name, f"{fault}.", f"Set it to {words}.")
