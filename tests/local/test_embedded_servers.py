"""The embedded servers of one checkout, each test on a small checkout of its own."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector_pay.local.processes import read_command_line
from tests.local.checkouts import Checkout, make_checkout

PROVIDE = """
import os
from connector_pay.local import servers
provided = servers.provide()
"""
# Prints the servers' process ids, then stays until its standard input is closed.
STAY = (
    PROVIDE
    + """
print(provided.servers.postgres.find(), provided.servers.valkey.find(), flush=True)
input()
"""
)
ASK = """
import psycopg2, redis
from urllib.parse import unquote, urlsplit

def ask(url, statement, fetch=True):
    parts = urlsplit(url)
    connection = psycopg2.connect(
        host=unquote(parts.netloc.split("@")[1]), user=parts.username, dbname=parts.path[1:]
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        answer = cursor.fetchone() if fetch else None
    connection.close()
    return answer
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = make_checkout(tmp_path / "checkout")
    yield made
    wait_until_stopped(made)


def find_servers(checkout: Checkout) -> list[int]:
    """The processes whose command line names this checkout's data."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(checkout.data) in command:
            found.append(int(entry.name))
    return found


def find_living(pids: str) -> list[int]:
    """Those of the processes that still run; the dead that nobody has reaped yet have no command line."""
    return [int(pid) for pid in pids.split() if read_command_line(int(pid))]


def wait_until_stopped(checkout: Checkout) -> None:
    wait_until(lambda: not find_servers(checkout))


def wait_until(is_so: Callable[[], bool], seconds: float = 15) -> None:
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.02)


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=30)
    assert process.returncode == 0


def test_both_servers_answer_and_the_environment_names_them(checkout):
    said = checkout.run(
        PROVIDE
        + ASK
        + """
print(ask(os.environ["DATABASE_URL"], "SELECT current_user, current_database(), current_setting('fsync')"))
print(ask(os.environ["DATABASE_OWNER_URL"], "SELECT current_user, pg_has_role('connector_pay_app', 'USAGE')"))
print(ask(os.environ["DATABASE_URL"], "SELECT current_setting('listen_addresses'), lower('ÉÑ')"))
print(redis.from_url(os.environ["REDIS_URL"]).ping(), os.environ["DEMO_MODE"])
"""
    )
    assert said.splitlines() == [
        "('connector_pay_web', 'connector_pay', 'on')",
        "('connector_pay_owner', True)",
        "('', 'éñ')",
        "True true",
    ]


def test_the_owner_may_grant_the_application_its_rights_and_make_databases(checkout):
    said = checkout.run(
        PROVIDE
        + ASK
        + """
owner = os.environ["DATABASE_OWNER_URL"]
ask(owner, "CREATE TABLE t (n int)", fetch=False)
ask(owner, "GRANT SELECT ON t TO connector_pay_app", fetch=False)
ask(owner, "CREATE ROLE another NOLOGIN", fetch=False)
ask(owner, "CREATE DATABASE copy TEMPLATE connector_pay STRATEGY file_copy", fetch=False)
print(ask(os.environ["DATABASE_URL"], "SELECT count(*) FROM t"))
try:
    ask(os.environ["DATABASE_URL"], "INSERT INTO t VALUES (1)", fetch=False)
except psycopg2.errors.InsufficientPrivilege:
    print("refused")
"""
    )
    assert said.splitlines() == ["(0,)", "refused"]


def test_what_the_environment_names_is_kept(checkout):
    said = checkout.run(
        PROVIDE
        + 'print(provided.postgres, provided.redis, os.environ["REDIS_URL"], os.environ["DEMO_MODE"])',
        REDIS_URL="redis://elsewhere/0",
        DEMO_MODE="false",
    )
    assert said == "True False redis://elsewhere/0 false"
    assert not (checkout.data / "redis").exists()


def test_with_both_servers_named_nothing_is_touched(checkout):
    said = checkout.run(
        PROVIDE + 'print(provided.servers, os.environ.get("SECRET_KEY"), os.environ.get("DEMO_MODE"))',
        DATABASE_URL_FILE="/run/secrets/database",
        REDIS_URL="redis://elsewhere/0",
    )
    assert said == "None None None"
    assert not checkout.data.exists()


def test_keys_are_made_once_and_only_their_owner_may_read_them(checkout):
    script = "from connector_pay.local import servers; import os; servers.provide(start=False)\n"
    script += 'print(os.environ["SEALING_KEYS"], os.environ["BLIND_INDEX_KEY"], os.environ["SECRET_KEY"])'
    assert checkout.run(script) == checkout.run(script)
    assert stat.S_IMODE((checkout.data / "secrets.env").stat().st_mode) == 0o600
    assert checkout.run(script, SECRET_KEY="mine").endswith(" mine")


def test_a_second_process_uses_the_same_servers_and_the_last_one_out_stops_them(checkout):
    first = checkout.start(STAY)
    pids = read_line(first)
    second = checkout.start(STAY)
    assert read_line(second) == pids
    end(first)
    assert len(find_living(pids)) == 2
    end(second)
    assert find_living(pids) == []


def test_a_fork_that_ends_leaves_the_servers_to_its_parent(checkout):
    said = checkout.run(
        PROVIDE
        + """
import sys
pid = os.fork()
if pid == 0:
    sys.exit(0)
os.waitpid(pid, 0)
print(provided.servers.postgres.is_ready(), provided.servers.valkey.is_ready())
"""
    )
    assert said == "True True"


def test_servers_stop_after_their_only_user_was_killed(checkout):
    user = checkout.start(STAY)
    pids = read_line(user)
    user.kill()
    user.communicate()
    wait_until(lambda: find_living(pids) == [])


def test_what_was_committed_outlives_killed_servers(checkout):
    checkout.run(
        PROVIDE
        + ASK
        + """
ask(os.environ["DATABASE_OWNER_URL"], "CREATE TABLE kept AS SELECT 42 AS n", fetch=False)
provided.servers.postgres.kill()
provided.servers.valkey.kill()
"""
    )
    said = checkout.run(PROVIDE + ASK + 'print(ask(os.environ["DATABASE_OWNER_URL"], "SELECT n FROM kept"))')
    assert said == "(42,)"


def test_a_lock_file_whose_number_now_belongs_to_another_process_is_in_nobodys_way(checkout):
    checkout.run(PROVIDE)
    (checkout.data / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert checkout.run(PROVIDE + "print(provided.servers.postgres.is_ready())") == "True"


def test_two_processes_that_begin_at_once_start_one_pair_of_servers(checkout):
    users = [checkout.start(STAY) for _ in range(3)]
    assert len({read_line(user) for user in users}) == 1
    for user in users:
        end(user)


def test_a_server_that_died_is_started_again_for_those_who_stay(checkout):
    said = checkout.run(
        PROVIDE
        + """
provided.servers.postgres.kill()
provided.revive()
print(provided.servers.postgres.is_ready())
"""
    )
    assert said == "True"


def test_deep_and_private_folders_serve(tmp_path):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    tmp_path.chmod(0o700)
    checkout = make_checkout(deep / "checkout")
    assert checkout.run(PROVIDE + "print(provided.servers.postgres.is_ready())") == "True"
    wait_until_stopped(checkout)


def test_a_socket_folder_that_others_may_enter_is_refused(checkout):
    said = checkout.run(
        """
from connector_pay.local import servers
sockets = servers.LOCAL.sockets
sockets.mkdir(mode=0o755)
sockets.chmod(0o755)
try:
    servers.provide()
except servers.UnableToUseFolder as error:
    print(error)
sockets.rmdir()
"""
    )
    assert "is not a private folder of this user" in said


def test_beginning_anew_is_refused_while_somebody_works_and_wipes_the_data_after(checkout):
    anew = """
from connector_pay.local import beginning, servers
beginning.SECONDS_FOR_THE_LAST_ONE_OUT = 0.2
try:
    beginning.begin_anew()
except beginning.AlreadyInUse:
    print("in use")
"""
    user = checkout.start(STAY)
    read_line(user)
    assert checkout.run(anew) == "in use"
    end(user)
    (checkout.data / "design_system").mkdir()
    assert checkout.run(anew) == ""
    assert sorted(path.name for path in checkout.data.iterdir()) == ["design_system", "locks", "logs"]


def test_servers_of_a_tests_own_start_fast_stop_hard_and_start_again(tmp_path):
    checkout = make_checkout(tmp_path / "checkout")
    said = checkout.run(
        ASK
        + f"""
from pathlib import Path
from connector_pay.local.servers import ThrowAwayServers
with ThrowAwayServers(Path({str(tmp_path)!r}) / "own", redis_options=("--maxmemory", "3mb")) as own:
    ask(own.owner_url, "CREATE TABLE kept AS SELECT 42 AS n", fetch=False)
    own.postgres.stop_immediately()
    own.postgres.start()
    own.valkey.kill()
    own.valkey.start()
    print(ask(own.owner_url, "SELECT n FROM kept"), redis.from_url(own.redis_url).ping())
    print(ask(own.database_url, "SELECT current_user, current_setting('fsync')"))
print(own.postgres.find(), own.valkey.find(), own.place.sockets.exists())
"""
    )
    assert said.splitlines() == ["(42,) True", "('connector_pay_web', 'off')", "None None False"]


@pytest.mark.parametrize("uid", [pwd.getpwnam("nobody").pw_uid, 23456], ids=["named", "nameless"])
@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may become another user; everybody else is one already"
)
def test_an_ordinary_user_in_a_private_folder_gets_servers_too(uid):
    python = find_python_for(uid)
    home = Path(tempfile.mkdtemp())
    try:
        checkout = make_checkout(home / "checkout")
        checkout.python = python
        checkout.before = become(uid)
        checkout.environment = {"PYTHONPATH": f"{checkout.folder}:{sysconfig.get_path('purelib')}"}
        for path in [home, *home.rglob("*")]:
            os.chown(path, uid, uid)
        home.chmod(0o700)
        said = checkout.run(PROVIDE + "print(os.geteuid(), provided.servers.postgres.is_ready())")
        assert said == f"{uid} True"
        wait_until_stopped(checkout)
    finally:
        shutil.rmtree(home)


def become(uid: int) -> tuple[str, ...]:
    return ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups")


def find_python_for(uid: int) -> str:
    """A Python that this user may run, with packages that it may read."""
    for python in (shutil.which("python3", path=os.defpath), shutil.which("python3")):
        probe = "import sys, os; sys.exit(sys.version_info < (3, 11) or not os.access(sys.argv[1], os.R_OK))"
        command = [*become(uid), python or "python3", "-c", probe, sysconfig.get_path("purelib")]
        if subprocess.run(command, capture_output=True, cwd="/").returncode == 0:
            return str(python)
    pytest.skip("no Python 3.11 on this machine that an ordinary user may run")


def test_a_killed_server_process_is_not_taken_for_a_living_one(checkout):
    said = checkout.run(
        PROVIDE
        + f"""
os.kill(provided.servers.valkey.find(), {int(signal.SIGKILL)})
import time
time.sleep(0.1)
print(provided.servers.valkey.find(), provided.servers.are_running(postgres=True, redis=True))
"""
    )
    assert said == "None False"
