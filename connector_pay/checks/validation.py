"""Validation: a way to find out whether a bank account can be debited, for every account."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from connector_pay.checks.saying import refuse, warn
from payments.validation import HISTORY, INSTANT, MANUAL, METHODS, PRENOTE
from payments.validation.instant import find_url_fault

LONGEST_INSTANT = 30.0  # seconds; it is asked while the file of the day waits


@register(Tags.security, deploy=True)
def check_validation(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Online debits must be validated, and account numbers go to nobody but the provider."""
    return list(_check_validation())


def _check_validation() -> Iterator[CheckMessage]:
    methods = settings.BANK_VALIDATION_METHODS
    name = "BANK_VALIDATION_METHODS"
    if not methods:
        hint = f"Set {name}=history,prenote,manual, or more."
        yield refuse(25, name, "is empty: online debits must be validated.", hint)
    for method in methods:
        if method not in METHODS:
            hint = f"Choose from: {', '.join(METHODS)}."
            yield refuse(26, name, f"names {method!r}, which does not exist.", hint)
    if list(methods) == [HISTORY]:
        problem = "names history alone: an account that has never paid could never pay."
        yield refuse(71, name, problem, "Add prenote or manual.")
    elif INSTANT in methods and not {PRENOTE, MANUAL} & set(methods):
        problem = "has nothing after instant: an account that the provider does not know would wait forever."
        yield warn(71, name, problem, "Add prenote or manual.")
    if INSTANT in methods and not (settings.DEMO_MODE and settings.BANK_DRIVER == "sandbox"):
        yield from _check_instant()


def _check_instant() -> Iterator[CheckMessage]:
    """Account numbers go to the provider alone, over https."""
    url = settings.INSTANT_VALIDATION_URL
    hint = "Set your provider's https address, or take instant out of BANK_VALIDATION_METHODS."
    if not url:
        yield refuse(72, "INSTANT_VALIDATION_URL", "is missing.", hint)
    elif fault := find_url_fault(url=url, may_be_local=False):
        yield refuse(73, "INSTANT_VALIDATION_URL", fault, hint)
    if not settings.INSTANT_VALIDATION_TOKEN:
        yield refuse(
            74, "INSTANT_VALIDATION_TOKEN", "is missing.", "Set the token that your provider gave you."
        )
    if not 0 < settings.INSTANT_VALIDATION_SECONDS <= LONGEST_INSTANT:
        hint = f"Set it to a number of seconds up to {LONGEST_INSTANT:g}."
        yield refuse(75, "INSTANT_VALIDATION_SECONDS", f"is {settings.INSTANT_VALIDATION_SECONDS:g}.", hint)
