"""Where the portal on one machine keeps its data, its sockets and its locks.

A socket's path may be about 100 characters long at most, so sockets never stand below the checkout: they
have one short private folder, named by a hash of the data folder, which also keeps two checkouts apart.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = CHECKOUT / ".data"
DEMO = DATA / "demo.json"  # the portal's address, and whom to try
DEMO_STAMP = DATA / "stamps" / "demo"  # which database the demo exchange was loaded into
TEST_DATA = DATA / "test"
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - short; `make_private_folder` checks what it finds there


class UnableToUseFolder(Exception):
    """A folder that must be private belongs to somebody else, or others may enter it."""


@dataclass(frozen=True)
class Place:
    """One pair of servers: where its data is, and whether that data must survive a crash of the machine."""

    data: Path
    durable: bool = True

    @property
    def key(self) -> str:
        return hashlib.sha256(str(self.data).encode()).hexdigest()[:12]

    @property
    def sockets(self) -> Path:
        return SHORT_FOLDER / f"connector-pay-{os.geteuid()}-{self.key}"

    @property
    def locks(self) -> Path:
        return self.data / "locks"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    def make_folders(self) -> None:
        """Make the folders that only we may enter."""
        for folder in (self.data.parent, self.data, self.locks, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only we may enter, where anybody could have made one of that name before us.

    Raises `UnableToUseFolder`.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise UnableToUseFolder(f"{folder} is not a private folder of this user; remove it and start again.")
