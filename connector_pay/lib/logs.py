"""Logs: one line of JSON an event, every long run of digits taken out before it is written."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

from connector_pay.lib.masking import redact_digits

# Times, dates and request ids are ours and hold no number of a person's.
_KEPT = frozenset(
    {"timestamp", "request_id", "level", "logger", "task_id", "parent_task_id", "business_date"}
)

# The address behind a bill's QR opens that bill.
_CODE, _NO_CODE = re.compile(r"/b/[^/\s?\"']+"), "/b/[code removed]"


def redact_event(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Every value of the event with what could be an account number removed."""
    return {key: value if key in _KEPT else _redact(value) for key, value in event.items()}


def make_formatter() -> logging.Formatter:
    """The formatter of settings.LOGGING: redacted JSON for our own events and for every library's."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, _STAMP],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact_event,
            structlog.processors.JSONRenderer(),
        ],
    )


def configure() -> None:
    """Route structlog's own loggers through the standard library's handlers."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            _STAMP,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


_STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True)


def _redact(value: Any) -> Any:
    if isinstance(value, str):
        return _CODE.sub(_NO_CODE, redact_digits(value))
    if isinstance(value, dict):
        return {key: _redact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(item) for item in value]
    return value if isinstance(value, int | float | bool | None) else _redact(str(value))
