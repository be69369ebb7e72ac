"""What was already done for this state of the code and the data, so that starting again takes seconds."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from connector_pay.local.places import CHECKOUT

REQUIREMENTS = CHECKOUT / "requirements" / "demo.txt"


def is_done(stamp: Path, *, state: str) -> bool:
    """Tell whether a step was finished for exactly this state."""
    return stamp.exists() and stamp.read_text() == state


def mark_done(stamp: Path, *, state: str) -> None:
    """Note that a step is finished for this state."""
    stamp.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp.write_text(state)


def describe_migrations() -> str:
    """Return a hash of every migration and grant of ours, and of the releases that bring the others."""
    ours = [CHECKOUT / "connector_pay" / "lib" / "grants.py"]
    ours += [path for where in ("*", "*/*") for path in CHECKOUT.glob(f"{where}/migrations/*.py")]
    return describe_content([REQUIREMENTS, *(path for path in ours if ".venv" not in path.parts)])


def describe_content(files: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for file in sorted(files):
        found.update(f"{file}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def describe_cluster(data: Path) -> str:
    """Return what tells this database's data folder from one that was made anew."""
    made = (data / "PG_VERSION").stat()
    return f"{made.st_ino}-{made.st_mtime_ns}"


def describe_named_database() -> str:
    """Return what tells the database that the environment names from others, and shows nothing of its password."""
    named = os.environ.get("DATABASE_URL") or os.environ["DATABASE_URL_FILE"]
    return hashlib.sha256(named.encode()).hexdigest()
