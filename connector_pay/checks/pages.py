"""The pages: without the design system none can be shown."""

from typing import Any

from django.core.checks import CheckMessage, Tags, register

from connector_pay import design_system
from connector_pay.checks.saying import refuse


@register(Tags.staticfiles)
def check_design_system(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The design system must be copied before the static files are collected."""
    sheet = design_system.COPY / design_system.STYLE_SHEET
    if sheet.is_file():
        return []
    hint = "Run: npm ci --ignore-scripts && python -m connector_pay.design_system"
    return [refuse(42, "The design system", f"is missing: there is no {sheet}.", hint)]
