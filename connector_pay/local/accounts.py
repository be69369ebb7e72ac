"""As whom the embedded PostgreSQL runs, because it refuses to run as root.

An ordinary user runs it as itself. Root runs it inside a user namespace, where root's own files belong to
"nobody"; where the machine refuses that (many containers do), root runs it as a dedicated account, with the
data and a copy of the program under /var/tmp, because that account can enter neither root's home nor a
private checkout.
"""

import errno
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector_pay.local.places import Place
from connector_pay.local.programs import find_postgres

NOBODY = 65534
IN_NAMESPACE = ("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
DEDICATED_ACCOUNT = "connector-pay"
DEDICATED_FOLDERS = Path("/var/tmp")  # noqa: S108 - only root makes a folder of its own there, and checks it


class UnableToLeaveRoot(Exception):
    """PostgreSQL refuses root, and no other account could be found or made to run it."""


@dataclass(frozen=True)
class Account:
    """As whom, and from where, the database server runs."""

    programs: Path
    data: Path
    sockets: Path
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def popen_arguments(self) -> dict[str, Any]:
        """What `subprocess` needs to start a program as this account."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def hand_over(self, folder: Path) -> None:
        """Make a folder that this account owns and only it (and root) may enter."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.uid is not None:
            os.chown(folder, self.uid, self.gid or -1)


def choose_account(*, place: Place) -> Account:
    """Choose as whom PostgreSQL runs at this place; the choice stays the same while its data exists.

    Raises `UnableToLeaveRoot`.
    """
    data = place.data / "postgres"
    ours = Account(programs=find_postgres(), data=data, sockets=place.sockets)
    in_namespace = Account(ours.programs, data, place.sockets, prefix=IN_NAMESPACE)
    if os.geteuid() != 0:
        # PostgreSQL also refuses a user that the machine has no name for, as containers may give.
        return ours if is_known_user(uid=os.geteuid()) else in_namespace
    dedicated_home = DEDICATED_FOLDERS / f"connector-pay-{place.key}"
    if not dedicated_home.exists() and (data.exists() or works(in_namespace, place=place)):
        return in_namespace
    return make_dedicated_account(home=dedicated_home, programs=ours.programs)


def works(account: Account, *, place: Place) -> bool:
    """Tell whether this machine lets root into a user namespace that reaches the data and the programs."""
    reaches = 'test -w "$1" && exec "$2" -V'
    arguments = [str(place.data), str(account.programs / "bin" / "postgres")]
    try:
        tried = subprocess.run([*account.prefix, "sh", "-c", reaches, "sh", *arguments], capture_output=True)
    except FileNotFoundError:
        return False
    return tried.returncode == 0 and is_known_user(uid=NOBODY)


def is_known_user(*, uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def make_dedicated_account(*, home: Path, programs: Path) -> Account:
    """Find or make the account, its folder and its copy of the programs. Raises `UnableToLeaveRoot`."""
    user = find_or_add_user()
    make_folder_of_root(home)
    copied = copy_programs(source=programs)
    account = Account(copied, home / "postgres", home / "sockets", uid=user.pw_uid, gid=user.pw_gid)
    account.hand_over(account.sockets)
    return account


def make_folder_of_root(folder: Path) -> None:
    """Make a folder where only root may write. Raises `UnableToLeaveRoot` where it is somebody else's."""
    folder.mkdir(mode=0o755, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise UnableToLeaveRoot(f"{folder} exists and is not root's own; remove it and start again.")


def copy_programs(*, source: Path) -> Path:
    """Copy the programs, with the libraries they look for beside their package; return where they are.

    Raises `UnableToLeaveRoot`.
    """
    package, libraries = source.parent, source.parent.with_name(source.parent.name + ".libs")
    size = (source / "bin" / "postgres").stat().st_size
    home = DEDICATED_FOLDERS / f"connector-pay-{source.name}-{size}"
    copied = home / package.name / source.name
    if not home.exists():
        unfinished = home.with_name(f"{home.name}.{os.getpid()}")
        make_folder_of_root(unfinished)
        shutil.copytree(source, unfinished / package.name / source.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        let_everyone_read(folder=unfinished)
        keep_the_first(unfinished, home)
    make_folder_of_root(home)
    return copied


def keep_the_first(unfinished: Path, home: Path) -> None:
    """Put a finished copy in its place, unless another process was faster."""
    try:
        unfinished.rename(home)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        shutil.rmtree(unfinished)


def let_everyone_read(*, folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)


def find_or_add_user() -> pwd.struct_passwd:
    """Find the dedicated account, or add it to this machine. Raises `UnableToLeaveRoot`."""
    for command in (None, *ADD_USER):
        if command is not None:
            add_user(command=command)
        try:
            return pwd.getpwnam(DEDICATED_ACCOUNT)
        except KeyError:
            continue
    raise UnableToLeaveRoot(
        "PostgreSQL refuses to run as root, this machine refuses a user namespace (unshare -U), and no "
        f"account {DEDICATED_ACCOUNT} could be added. Run this as an ordinary user, or set DATABASE_URL."
    )


ADD_USER = (
    ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", DEDICATED_ACCOUNT),
    ("adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", DEDICATED_ACCOUNT),
)


def add_user(*, command: tuple[str, ...]) -> None:
    program = shutil.which(command[0], path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/sbin")
    if program is not None:
        subprocess.run([program, *command[1:]], capture_output=True)
