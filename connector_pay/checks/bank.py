"""The bank: one that moves money, behind a folder or a server that we can reach."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from connector_pay.checks.saying import refuse
from payments.bank import sftp

BANK_DRIVERS = ("folder", "sandbox", "sftp")
# What the SFTP bank cannot do without: the setting's name, and what to do.
SFTP_NEEDS = {
    "host": ("SFTP_HOST", "Name your bank's server."),
    "user": ("SFTP_USER", "Set it to the user your bank gave you."),
    "host_key": ("SFTP_HOST_KEY", "Ask your bank for its server's public key, like ssh-ed25519 AAAA..."),
    "outgoing": ("SFTP_OUTGOING", "Name the directory your bank fetches files from, or . for the first one."),
    "incoming": ("SFTP_INCOMING", "Name the directory your bank leaves files in, or . for the first one."),
}


@register(Tags.security, deploy=True)
def check_bank(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Debits need a bank that moves money, and that we can reach."""
    return [*_check_bank_driver(), *_check_bank_folder()]


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
