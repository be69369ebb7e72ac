"""Every crash point of building a file and handing it over, with each bank: at the end it has the same bytes, once.

The banks that fetch do so as soon as anything is in sight, a crash of ours or not. Over SFTP such a bank leaves us in doubt;
then its acknowledgement, or a person who asks it, says what became of the file.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from connector_pay.simulation.facts import read_facts
from payments import tasks
from payments.ach import sending
from payments.bank import folder, sftp
from payments.bank.folder import FolderBank
from payments.bank.sandbox import SandboxBank
from payments.bank.sftp import SftpBank
from payments.models import BankFile
from tests import databases
from tests.crash_points import Effect, Work, check_every_crash_point
from tests.crashes.test_crash_points import prepare_recorded, validate
from tests.diary import eastern
from tests.payments.sftp_server import PASSWORD, USER

DAY, AT_FIVE, NEXT_MORNING = date(2027, 1, 20), eastern(2027, 1, 20, 17), eastern(2027, 1, 21, 7)
ROOM = "line"  # of the bank's folder, beside what it took

SANDBOX_STEPS = (Effect(SandboxBank, "put"),)
FOLDER_STEPS = (Effect(FolderBank, "put"), Effect(folder, "_write"), Effect(folder, "_show"))
SFTP_STEPS = (Effect(SftpBank, "put"), Effect(sftp, "_write"), Effect(sftp, "_show"))


def prepare() -> None:
    """Alice's payments are recorded, her bank account is valid."""
    prepare_recorded()
    validate()


def find_room() -> Path:
    """Where the bank of this crash point meets us."""
    room = Path(settings.SANDBOX_BANK_DIR) / ROOM
    for name in ("outgoing", "incoming"):
        (room / name).mkdir(parents=True, exist_ok=True)
    return room


def send() -> None:
    tasks.send_files(day=DAY, at=AT_FIVE)


def fetch() -> None:
    """The bank fetches whatever is in sight, and acknowledges it."""
    room = find_room()
    taken = room.parent / "taken"
    taken.mkdir(exist_ok=True)
    for path in sorted((room / "outgoing").glob("CP-*")):
        data = path.read_bytes()
        (taken / f"{len(list(taken.iterdir()))} {path.name}").write_bytes(data)
        path.unlink()
        answer = {"acknowledges": path.name, "sha256": _digest(data), "result": "accepted"}
        (room / "incoming" / f"ACK-{path.name}.json").write_text(json.dumps(answer))


def ask_the_bank() -> None:
    """A person asks the bank about each file of unknown outcome, and tells us."""
    taken = [path.name.partition(" ")[2] for path in (find_room().parent / "taken").iterdir()]
    for file in BankFile.objects.filter(status="unknown"):
        sending.resolve_unknown(
            name=file.name, sent=file.name in taken, why="asked the bank", at=NEXT_MORNING
        )


def read_facts_and_bank() -> Any:
    """What happened, and what the bank has: each file with its bytes, as often as it was handed over."""
    place = Path(settings.SANDBOX_BANK_DIR)
    paths = [*place.glob("from_exchange/CP-*"), *place.glob(f"{ROOM}/outgoing/CP-*"), *place.glob("taken/*")]
    at_bank = sorted((path.name.split()[-1], _digest(path.read_bytes())) for path in paths)
    assert at_bank == list(BankFile.objects.filter(direction="out").values_list("name", "sha256"))
    return read_facts() | {"at the bank": len(at_bank)}


def send_by_folder() -> None:
    """The bank's file transfer has not come yet."""
    with override_settings(**_folder_settings()):
        send()


def send_by_folder_that_is_emptied() -> None:
    """The bank's file transfer comes all the time."""
    with override_settings(**_folder_settings()):
        fetch()
        send()
        fetch()


class Sftp:
    """A bank's server, which every crash point reaches in a directory of its own."""

    def __init__(self, *, root: Path, port: str, host_key: str) -> None:
        self.root, self.port, self.host_key = root, port, host_key

    def send(self) -> None:
        """Files stay where they are."""
        with override_settings(**self.make_settings(files_stay=True)):
            send()

    def send_and_ask(self) -> None:
        """The bank takes away what is in sight; in the morning its word is read, and if need be it is asked."""
        with override_settings(**self.make_settings()):
            fetch()
            send()
            fetch()
            tasks.read_bank(day=date(2027, 1, 21), at=NEXT_MORNING)
            ask_the_bank()
            send()
            fetch()
            tasks.read_bank(day=date(2027, 1, 21), at=NEXT_MORNING)

    def make_settings(self, **changes: object) -> dict[str, Any]:
        """Of the crash point at which we are."""
        room = find_room().relative_to(self.root)
        login = {
            "host": "127.0.0.1",
            "port": int(self.port),
            "user": USER,
            "password": PASSWORD,
            "host_key": self.host_key,
            "outgoing": str(room / "outgoing"),
            "incoming": str(room / "incoming"),
        }
        return {
            "BANK_DRIVER": "sftp",
            "SFTP": settings.SFTP | login | changes,
            "BANK_VALIDATION_METHODS": ["manual"],
        }


def _folder_settings() -> dict[str, Any]:
    return {
        "BANK_DRIVER": "folder",
        "BANK_FOLDER": str(find_room()),
        "BANK_VALIDATION_METHODS": ["manual"],
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sftp]:
    """A process of its own, because the test forks."""
    command = [sys.executable, "-m", "tests.payments.sftp_server", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=databases.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        port, _, host_key = process.stdout.readline().strip().partition(" ")
        yield Sftp(root=tmp_path, port=port, host_key=host_key)
        process.stdin.close()


def check(work: Work, *, tmp_path: Path, template: str, effects: tuple[Effect, ...], every_gap: bool) -> int:
    return check_every_crash_point(
        template=template,
        folder=tmp_path,
        prepare=prepare,
        work=work,
        read_facts=read_facts_and_bank,
        effects=effects,
        every_gap=every_gap,
    )


EVERY_GAP = pytest.mark.parametrize(
    "every_gap",
    [pytest.param(False, id="commits"), pytest.param(True, id="every gap", marks=pytest.mark.prove)],
)


@EVERY_GAP
@pytest.mark.parametrize(
    ("work", "effects"),
    [
        pytest.param(send, SANDBOX_STEPS, id="sandbox", marks=pytest.mark.prove),
        pytest.param(send_by_folder, FOLDER_STEPS, id="folder", marks=pytest.mark.prove),
        pytest.param(send_by_folder_that_is_emptied, FOLDER_STEPS, id="folder that is emptied"),
    ],
)
def test_a_crash_anywhere_hands_the_file_to_a_bank_on_this_machine_once(
    template_database, django_db_setup, django_db_blocker, tmp_path, work, effects, every_gap
):
    with django_db_blocker.unblock():
        points = check(
            work, tmp_path=tmp_path, template=template_database, effects=effects, every_gap=every_gap
        )
    assert points >= 8


@EVERY_GAP
@pytest.mark.prove
@pytest.mark.parametrize("takes_away", [False, True])
def test_a_crash_anywhere_hands_the_file_to_an_sftp_server_once(
    template_database, django_db_setup, django_db_blocker, tmp_path, server, takes_away, every_gap
):
    work = server.send_and_ask if takes_away else server.send
    with django_db_blocker.unblock():
        points = check(
            work, tmp_path=tmp_path, template=template_database, effects=SFTP_STEPS, every_gap=every_gap
        )
    assert points >= 8
