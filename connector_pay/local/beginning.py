"""Beginning anew: everything the demo kept is wiped, what was only installed or built stays."""

import shutil
import time

from connector_pay.local.keeping import AlreadyInUse, Servers
from connector_pay.local.servers import LOCAL

STAYS = frozenset({"design_system", "locks", "stamps", "static", "test"})
SECONDS_FOR_THE_LAST_ONE_OUT = 10.0


def begin_anew() -> None:
    """Stop this checkout's servers and wipe their data.

    Raises `AlreadyInUse` while another process works on them.
    """
    servers = Servers(LOCAL)
    give_up_at = time.monotonic() + SECONDS_FOR_THE_LAST_ONE_OUT
    while True:
        try:
            with servers.nobody_else():
                return wipe(servers)
        except AlreadyInUse:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.1)


def wipe(servers: Servers) -> None:
    servers.stop()
    if servers.postgres.data.exists():
        shutil.rmtree(servers.postgres.data)
    for path in servers.place.data.iterdir():
        if path.name in STAYS:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    servers.place.make_folders()
