"""The keys of the portal on one machine: made once, kept in a private file, never used in production."""

import base64
import os
import secrets
from pathlib import Path


def set_local_secrets(*, file: Path) -> None:
    """Put this machine's keys into the environment where it names none, making them the first time."""
    if not file.exists():
        write_privately(file, "".join(f"{name}={value}\n" for name, value in make_secrets().items()))
    for line in file.read_text().splitlines():
        name, _, value = line.partition("=")
        if not is_set(name):
            os.environ[name] = value


def make_secrets() -> dict[str, str]:
    """Make new keys: the ring of sealing keys starts with one, named "local-1"."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SEALING_KEYS": "local-1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "BLIND_INDEX_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    }


def is_set(name: str) -> bool:
    """Tell whether the environment names this setting, as NAME or in the file that NAME_FILE names."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def write_privately(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    unfinished = file.with_name(file.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
    unfinished.replace(file)
