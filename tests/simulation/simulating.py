"""What the tests of the simulation do: run the command in a process of its own, and see what it leaves behind."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2

from tests.databases import ROOT, url_of

PASSING = Path(tempfile.gettempdir())
SCRATCH = r"simulation\_%"


def list_scratch() -> set[str]:
    """The scratch databases on the tests' server, without the template that is kept."""
    session = psycopg2.connect(url_of("postgres", owner=True))
    try:
        with session.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [SCRATCH])
            names = {row[0] for row in cursor.fetchall()}
    finally:
        session.close()
    return {name for name in names if not name.startswith("simulation_template_")}


def list_folders(place: Path = PASSING) -> set[Path]:
    """The folders of simulated banks in the place for what is passing."""
    return set(place.glob("connector-pay-simulation-*"))


def start(
    *, members: int, months: int, seed: int, hash_seed: str = "0", place: Path = PASSING
) -> subprocess.Popen[str]:
    """`manage.py simulate` on the tests' server, in a session of its own so that it alone hears Ctrl-C.

    `place` is where it puts what is passing.
    """
    words = ["--members", str(members), "--months", str(months), "--seed", str(seed)]
    return subprocess.Popen(
        [sys.executable, "-m", "django", "simulate", *words],
        env=os.environ
        | {"PYTHONHASHSEED": hash_seed, "DJANGO_SETTINGS_MODULE": "tests.settings", "TMPDIR": str(place)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_ctrl_c,
    )


def hear_ctrl_c() -> None:
    """A run of the tests in the background is deaf to it, and so would be what it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def finish(process: subprocess.Popen[str]) -> list[str]:
    """The lines it printed, once it has ended well."""
    output, errors = process.communicate()
    assert process.returncode == 0, output + errors
    return output.splitlines()
