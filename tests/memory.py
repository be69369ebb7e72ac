"""Where the tests' databases are copied to: memory, on a machine that has some to spare.

A clone is some 700 files, made and removed a thousand times in one run. A disk's file system keeps from using again what was
just removed and searches ever longer for room (ext4: 210 ms a clone); memory takes a quarter of that.
"""

import shutil
from functools import cache
from pathlib import Path

import psycopg2

from connector_pay.local.keeping import Servers
from connector_pay.local.postgres import APPLICATION_LOGIN, OWNER, SUPERUSER
from connector_pay.local.servers import FOR_TESTS

MEMORY = Path("/dev/shm")  # a file system in memory, on Linux; elsewhere the disk does
ENOUGH = 1 << 30  # bytes; the clones of one moment take a tenth of it
TABLESPACE = "memory"


@cache
def find_tablespace(database_url: str) -> str | None:
    """The tablespace for clones: in memory, if the server is the tests' own and there is enough; else none but the default,
    which not every login may name.
    """
    servers = Servers(FOR_TESTS)
    is_ours = database_url.startswith(servers.postgres.url(role=APPLICATION_LOGIN, database=""))
    if not is_ours or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ENOUGH:
        return None
    with servers.one_at_a_time("memory"):
        _prepare(servers, folder=MEMORY / servers.place.sockets.name)
    return TABLESPACE


def _prepare(servers: Servers, *, folder: Path) -> None:
    """Make the tablespace unless it stands; what the machine forgot when it was switched off is made anew."""
    connection = psycopg2.connect(servers.postgres.url(role=SUPERUSER, database="postgres"))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT oid FROM pg_tablespace WHERE spcname = %s", [TABLESPACE])
            known = cursor.fetchone()
            if known and folder.is_dir() and any(folder.iterdir()):
                return
            if known:
                cursor.execute("SELECT datname FROM pg_database WHERE dattablespace = %s", known)
                for (name,) in cursor.fetchall():
                    cursor.execute(f'DROP DATABASE "{name}"')
                cursor.execute(f"DROP TABLESPACE {TABLESPACE}")
            shutil.rmtree(folder, ignore_errors=True)
            servers.postgres.account.hand_over(folder)
            cursor.execute(f"CREATE TABLESPACE {TABLESPACE} LOCATION %s", [str(folder)])
            cursor.execute(f"GRANT CREATE ON TABLESPACE {TABLESPACE} TO {OWNER}")
    finally:
        connection.close()
