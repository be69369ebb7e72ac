"""The public words for where coverage stands."""

from datetime import date

from django import template

from billing.balances import Standing
from payments.statements import describe_coverage

register = template.Library()


@register.filter
def coverage_words(standing: Standing, today: date) -> str:
    """Waiting for first payment; First payment received, starts ...; Active; Ended."""
    return describe_coverage(standing=standing, today=today)
