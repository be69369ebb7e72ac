"""System checks: what would make a deployment dangerous, each with the setting's name and what to do.

`manage.py check --deploy` asks them all, beside Django's own. They read settings and this machine's folders:
nothing is connected to. Importing a module registers its checks.
"""

from connector_pay.checks import (
    bank,
    bank_files,
    mail,
    pages,
    phone,
    premium_rules,
    secret_keys,
    servers,
    validation,
    web,
)

__all__ = [
    "bank",
    "bank_files",
    "mail",
    "pages",
    "phone",
    "premium_rules",
    "secret_keys",
    "servers",
    "validation",
    "web",
]
