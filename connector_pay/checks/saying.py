"""How a check speaks: the setting by its name, what is wrong with it, and what to do."""

from django.core import checks
from django.core.checks import CheckMessage


def refuse(number: int, name: str, problem: str, hint: str) -> CheckMessage:
    """An error that names the setting, what is wrong with it, and what to do."""
    return checks.Error(f"{name} {problem}", hint=hint, id=f"connector_pay.E{number:03}")


def warn(number: int, name: str, problem: str, hint: str) -> CheckMessage:
    """The same, for what is dangerous only in some places."""
    return checks.Warning(f"{name} {problem}", hint=hint, id=f"connector_pay.W{number:03}")
