"""System checks: what would make a deployment dangerous, each with the setting's name and what to do.

`manage.py check --deploy` asks them all, beside Django's own. They read settings only: nothing is
connected to.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured

from billing.policy import Policy
from payments.ach.nacha import LINE_ENDS
from payments.ach.offsets import UnableToReadOffsetAccount, read_offset_account
from payments.validation import HISTORY, INSTANT, MANUAL, METHODS, PRENOTE
from payments.validation.instant import find_url_fault

SECRET_LENGTH = 50
KEY_BYTES = 32
MAKE_KEY = "Make one with: python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'"
ALL_POWERFUL = frozenset({"postgres", "root"})
REDIS_SCHEMES = ("redis", "rediss", "unix")
NOWHERE = ("filebased", "console", "locmem", "dummy")
BANK_DRIVERS = ("folder", "sandbox", "sftp")
# What the SFTP bank cannot do without: the setting's name, and what to do.
SFTP_NEEDS = {
    "host": ("SFTP_HOST", "Name your bank's server."),
    "user": ("SFTP_USER", "Set it to the user your bank gave you."),
    "host_key": ("SFTP_HOST_KEY", "Ask your bank for its server's public key, like ssh-ed25519 AAAA..."),
    "outgoing": ("SFTP_OUTGOING", "Name the directory your bank fetches files from, or . for the first one."),
    "incoming": ("SFTP_INCOMING", "Name the directory your bank leaves files in, or . for the first one."),
}
FEWEST_LINES, MOST_LINES = 10, 9_999_990  # one block; as many blocks as a file can count
# The cut-off comes after the bank was read and debits have settled, and before the self-check.
EARLIEST_CUTOFF, LATEST_CUTOFF = time(9), time(23)
LONGEST_INSTANT = 30.0  # seconds; it is asked while the file of the day waits
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


def refuse(number: int, name: str, problem: str, hint: str) -> CheckMessage:
    """An error that names the setting, what is wrong with it, and what to do."""
    return checks.Error(f"{name} {problem}", hint=hint, id=f"connector_pay.E{number:03}")


def warn(number: int, name: str, problem: str, hint: str) -> CheckMessage:
    """The same, for what is dangerous only in some places."""
    return checks.Warning(f"{name} {problem}", hint=hint, id=f"connector_pay.W{number:03}")


@register(Tags.security, deploy=True)
def check_secrets(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without its own long secrets, sessions can be forged and account numbers read."""
    return [*_check_secret_key(), *_check_sealing_keys(), *_check_blind_index_key()]


@register(Tags.security, deploy=True)
def check_servers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The portal must sign in to PostgreSQL as somebody who cannot rewrite the books."""
    found: list[CheckMessage] = list(_check_database())
    hint = "Set it, like redis://redis:6379/0."
    if not settings.REDIS_URL:
        found.append(refuse(14, "REDIS_URL", "is missing.", hint))
    elif urlsplit(settings.REDIS_URL).scheme not in REDIS_SCHEMES:
        found.append(refuse(36, "REDIS_URL", "is no address of a Redis server.", hint))
    return found


@register(Tags.security, deploy=True)
def check_web(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Members must reach the portal over https, under its own name, and each be told from the others."""
    return [*_check_names(), *_check_web()]


@register(Tags.security, deploy=True)
def check_bank(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Debits need a bank that moves money, headers it accepts, and a way to validate bank accounts."""
    return [*_check_bank_driver(), *_check_validation(), *_check_ach(), *_check_ach_files()]


@register(Tags.security, deploy=True)
def check_mail(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Notices must reach people."""
    return list(_check_mail())


@register(Tags.compatibility)
def check_premium_rules(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every field of PREMIUM_POLICY must be one of the exchange's rules, of its kind."""
    return list(_check_premium_rules())


def _check_secret_key() -> Iterator[CheckMessage]:
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:
        key = ""
    hint = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
    if not key:
        yield refuse(1, "SECRET_KEY", "is missing.", hint)
    elif len(key) < SECRET_LENGTH or key.startswith("django-insecure-"):
        yield refuse(
            2, "SECRET_KEY", f"is too weak: it needs {SECRET_LENGTH} random characters or more.", hint
        )


def _check_sealing_keys() -> Iterator[CheckMessage]:
    ring = settings.SEALING_KEYS
    if not ring:
        yield refuse(
            3, "SEALING_KEYS", "is missing: no bank account can be kept.", f"Set it to NAME:KEY. {MAKE_KEY}"
        )
    for name, key in ring.items():
        if _looks_made_up(key):
            yield refuse(4, "SEALING_KEYS", f"holds a key that is not random: {name}.", MAKE_KEY)
        if name.startswith("local-") and not settings.DEMO_MODE:
            yield refuse(5, "SEALING_KEYS", f"holds a demonstration's key: {name}.", MAKE_KEY)


def _check_blind_index_key() -> Iterator[CheckMessage]:
    try:
        key = base64.b64decode(settings.BLIND_INDEX_KEY, validate=True)
    except binascii.Error:
        key = b""
    if not settings.BLIND_INDEX_KEY:
        yield refuse(6, "BLIND_INDEX_KEY", "is missing: equal bank accounts cannot be recognized.", MAKE_KEY)
    elif len(key) != KEY_BYTES or _looks_made_up(key):
        yield refuse(7, "BLIND_INDEX_KEY", f"must be base64 of {KEY_BYTES} random bytes.", MAKE_KEY)
    elif key in settings.SEALING_KEYS.values():
        yield refuse(8, "BLIND_INDEX_KEY", "is also a sealing key.", f"Give each its own key. {MAKE_KEY}")


def _looks_made_up(key: bytes) -> bool:
    """32 random bytes are almost all different."""
    return len(set(key)) < KEY_BYTES // 2


def _check_database() -> Iterator[CheckMessage]:
    if not settings.DATABASE_URL:
        yield refuse(
            9,
            "DATABASE_URL",
            "is missing.",
            "Set it, like postgres://portal:PASSWORD@postgres/connector_pay.",
        )
        return
    login = urlsplit(settings.DATABASE_URL)
    owner = urlsplit(settings.DATABASE_OWNER_URL)
    if login.username in ALL_POWERFUL:
        yield refuse(
            10,
            "DATABASE_URL",
            f"signs in as {login.username}, who may do anything.",
            "Name a login of the portal's own.",
        )
    if settings.DATABASE_OWNER_URL and login.username == owner.username:
        problem = "and DATABASE_OWNER_URL sign in as the same person: the portal could rewrite the books."
        yield refuse(
            11, "DATABASE_URL", problem, "Give the portal a login of its own; prepare_database makes it."
        )
    if settings.DATABASE_AS_OWNER:
        yield refuse(
            12, "DATABASE_AS_OWNER", "is for migrations only.", "Unset it for the portal's processes."
        )
    if login.hostname and not login.hostname.startswith("%2F") and not login.password:
        yield refuse(13, "DATABASE_URL", "has no password.", "Put the login's password into the address.")


def _check_names() -> Iterator[CheckMessage]:
    hint = "List the portal's own names, with commas between."
    if not settings.ALLOWED_HOSTS:
        yield refuse(37, "ALLOWED_HOSTS", "is missing: no page would be shown to anyone.", hint)
    elif "*" in settings.ALLOWED_HOSTS:
        yield refuse(16, "ALLOWED_HOSTS", "lets every name in.", hint)


def _check_web() -> Iterator[CheckMessage]:
    portal = urlsplit(settings.PORTAL_URL)
    if settings.DEMO_MODE:
        problem = "is on: staff can move the business date, and no real money moves."
        yield refuse(15, "DEMO_MODE", problem, "Set DEMO_MODE=false.")
    if settings.DEBUG:
        yield refuse(38, "DEBUG", "is on: visitors would see program texts and settings.", "Set DEBUG=false.")
    if not settings.BEHIND_HTTPS:
        yield refuse(
            17,
            "BEHIND_HTTPS",
            "is off: passwords and account numbers would travel in clear.",
            "Set BEHIND_HTTPS=true.",
        )
    if portal.scheme != "https" or not portal.hostname:
        yield refuse(
            18,
            "PORTAL_URL",
            "is not an https address.",
            "Set the address members see, like https://pay.example.org.",
        )
    elif settings.ALLOWED_HOSTS and not _is_allowed(portal.hostname):
        yield refuse(
            19,
            "PORTAL_URL",
            "has a name that ALLOWED_HOSTS lacks.",
            f"Add {portal.hostname} to ALLOWED_HOSTS.",
        )
    if settings.BEHIND_HTTPS and settings.TRUSTED_PROXIES < 1:
        problem = (
            "is 0: behind a proxy every page would redirect to itself, and all members share one address."
        )
        yield refuse(
            20, "TRUSTED_PROXIES", problem, "Set how many proxies of yours stand before gunicorn, usually 1."
        )
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if not origin.startswith("https://"):
            yield refuse(
                21, "CSRF_TRUSTED_ORIGINS", f"trusts {origin}.", "List https addresses only, or none."
            )


def _is_allowed(name: str) -> bool:
    return any(
        host in (name, "*") or (host.startswith(".") and name.endswith(host))
        for host in settings.ALLOWED_HOSTS
    )


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
            "Set BANK_DRIVER=folder and BANK_FOLDER, or BANK_DRIVER=sftp and what it needs.",
        )
    elif driver == "folder" and not settings.BANK_FOLDER:
        hint = "Name the folder that your bank's file transfer empties and fills."
        yield refuse(24, "BANK_FOLDER", "is missing.", hint)
    elif driver == "sftp":
        yield from _check_sftp()


def _check_sftp() -> Iterator[CheckMessage]:
    for field, (name, hint) in SFTP_NEEDS.items():
        if not settings.SFTP[field]:
            yield refuse(51, name, "is missing.", hint)
    if not settings.SFTP["key"] and not settings.SFTP["password"]:
        hint = "Set SFTP_KEY_FILE to the file of your private key, or SFTP_PASSWORD."
        yield refuse(52, "SFTP_KEY", "is missing, and so is SFTP_PASSWORD.", hint)
    if settings.SFTP["timeout_seconds"] < 1:
        yield refuse(53, "SFTP_TIMEOUT_SECONDS", "gives the bank no time to answer.", "Set it to 30.")
    yield from _check_sftp_keys()


def _check_sftp_keys() -> Iterator[CheckMessage]:
    from payments.bank import sftp

    readers = {
        "SFTP_HOST_KEY": (settings.SFTP["host_key"], sftp.read_host_key),
        "SFTP_KEY": (settings.SFTP["key"], sftp.read_private_key),
    }
    for name, (value, read) in readers.items():
        try:
            if value:
                read(value)
        except sftp.UnableToReadKey as error:
            yield refuse(54, name, "is no key that we can read.", str(error))


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
        yield refuse(61, name, problem, "Add prenote or manual.")
    elif INSTANT in methods and not {PRENOTE, MANUAL} & set(methods):
        problem = "has nothing after instant: an account that the provider does not know would wait forever."
        yield warn(61, name, problem, "Add prenote or manual.")
    if INSTANT in methods and not (settings.DEMO_MODE and settings.BANK_DRIVER == "sandbox"):
        yield from _check_instant()


def _check_instant() -> Iterator[CheckMessage]:
    """Account numbers go to the provider alone, over https."""
    url = settings.INSTANT_VALIDATION_URL
    hint = "Set your provider's https address, or take instant out of BANK_VALIDATION_METHODS."
    if not url:
        yield refuse(62, "INSTANT_VALIDATION_URL", "is missing.", hint)
    elif fault := find_url_fault(url=url, may_be_local=False):
        yield refuse(63, "INSTANT_VALIDATION_URL", fault, hint)
    if not settings.INSTANT_VALIDATION_TOKEN:
        yield refuse(
            64, "INSTANT_VALIDATION_TOKEN", "is missing.", "Set the token that your provider gave you."
        )
    if not 0 < settings.INSTANT_VALIDATION_SECONDS <= LONGEST_INSTANT:
        hint = f"Set it to a number of seconds up to {LONGEST_INSTANT:g}."
        yield refuse(65, "INSTANT_VALIDATION_SECONDS", f"is {settings.INSTANT_VALIDATION_SECONDS:g}.", hint)


def _check_ach() -> Iterator[CheckMessage]:
    for field, (name, form, words) in ACH_FORMS.items():
        value = settings.ACH[field]
        if not value:
            yield refuse(28, name, "is missing.", f"Set it to {words}.")
        elif not re.fullmatch(form, value):
            yield refuse(29, name, "does not look as a bank file needs it.", f"Set it to {words}.")


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


def _check_mail() -> Iterator[CheckMessage]:
    if any(word in settings.EMAIL_BACKEND for word in NOWHERE):
        hint = "Unset EMAIL_BACKEND: mail then goes to EMAIL_HOST."
        yield refuse(30, "EMAIL_BACKEND", "sends no mail to anyone.", hint)
    if not settings.EMAIL_HOST:
        yield refuse(31, "EMAIL_HOST", "is missing: no notice could be sent.", "Name your mail server.")
    elif settings.EMAIL_HOST != "localhost" and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        hint = "Set EMAIL_USE_TLS=true."
        yield warn(1, "EMAIL_USE_TLS", "is off: notices would travel in clear.", hint)
    sender = settings.DEFAULT_FROM_EMAIL.rstrip(">")
    if "@" not in sender or sender.endswith("@localhost"):
        hint = "Set it, like Premium Billing <billing@example.org>."
        yield refuse(32, "DEFAULT_FROM_EMAIL", "is missing: notices would come from nobody.", hint)


def _check_premium_rules() -> Iterator[CheckMessage]:
    kinds = {field.name: type(getattr(Policy(), field.name)) for field in fields(Policy)}
    for name, value in settings.PREMIUM_POLICY.items():
        if name not in kinds:
            hint = f"Choose from: {', '.join(sorted(kinds))}."
            yield refuse(33, "PREMIUM_POLICY", f"has no rule named {name!r}.", hint)
        elif type(value) is not kinds[name]:
            yield refuse(
                34,
                "PREMIUM_POLICY",
                f"gives {name!r} a value of the wrong kind.",
                f"It must be a {kinds[name].__name__}.",
            )
    cutoff = settings.PREMIUM_POLICY.get("file_cutoff")
    if isinstance(cutoff, time) and not EARLIEST_CUTOFF <= cutoff <= LATEST_CUTOFF:
        hint = f"It must lie between {EARLIEST_CUTOFF:%H:%M} and {LATEST_CUTOFF:%H:%M}, Eastern time."
        yield refuse(63, "PREMIUM_POLICY", f"gives 'file_cutoff' {cutoff:%H:%M}.", hint)
    if settings.GUEST_IDENTIFICATION not in ("open", "strict"):
        hint = "Set it to open or strict."
        yield refuse(35, "GUEST_IDENTIFICATION", f"is {settings.GUEST_IDENTIFICATION!r}.", hint)
