"""A production environment: .env.example as an operator fills it in."""

import base64
import os
import re
import secrets
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTING = re.compile(r"^(?P<comment># )?(?P<name>[A-Z][A-Z_]+)=(?P<value>.*)$")


def read_example(*, commented: bool = False) -> dict[str, str]:
    """The settings of .env.example; those that are only named in a comment too, if asked."""
    found = {}
    for line in (ROOT / ".env.example").read_text().splitlines():
        match = SETTING.fullmatch(line)
        if match and (commented or not match["comment"]):
            found[match["name"]] = match["value"].strip("\"'")
    return found


def make_key() -> str:
    """A key as the example says to make it."""
    return base64.b64encode(os.urandom(32)).decode()


def fill_in(**changes: str) -> dict[str, str]:
    """The example with all that is empty filled in, then with `changes`."""
    filled = {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SEALING_KEYS": f"2027-01:{make_key()}",
        "BLIND_INDEX_KEY": make_key(),
        "DATABASE_URL": "postgres://connector_pay_web:secret@postgres/connector_pay",
        "DATABASE_OWNER_URL": "postgres://connector_pay_owner:other@postgres/connector_pay",
        "POSTGRES_PASSWORD": "other",
        "REDIS_URL": "redis://redis:6379/0",
        "ALLOWED_HOSTS": "pay.example.org",
        "PORTAL_URL": "https://pay.example.org",
        "BANK_FOLDER": str(Path(tempfile.gettempdir()) / "connector-pay-no-bank"),
        "ACH_IMMEDIATE_DESTINATION": "011000015",
        "ACH_IMMEDIATE_ORIGIN": "1234567890",
        "ACH_DESTINATION_NAME": "FIRST BANK",
        "ACH_ORIGIN_NAME": "STATE HEALTH CONNECTOR",
        "ACH_COMPANY_NAME": "HEALTH CONNECTR",
        "ACH_COMPANY_ID": "1234567890",
        "ACH_ODFI": "01100001",
        "EMAIL_HOST": "mail.example.org",
        "EMAIL_HOST_USER": "portal",
        "EMAIL_HOST_PASSWORD": "secret",
        "DEFAULT_FROM_EMAIL": "Premium Billing <billing@example.org>",
    }
    return {**read_example(), **filled, **changes}
