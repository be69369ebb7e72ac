"""docker-compose.yml without Docker: each service's own command, on real servers, in the environment of
.env.example.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg2
import pytest
import yaml

from connector_pay.local.servers import ThrowAwayServers
from tests.local.production_environment import ROOT, fill_in

LOGIN, PASSWORD = "portal_web", "a:hard/one @50%"
HOST = "pay.example.org"
ADMINISTRATOR, ADMINISTRATOR_PASSWORD = "first", "correct horse battery staple"
SECONDS = 60.0
OURS = ("prepare", "web", "worker", "beat")


def read_compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


@dataclass
class Production:
    """The production environment on two throw-away servers, and the services started in it."""

    servers: ThrowAwayServers
    environment: dict[str, str]
    folder: Path

    def list_command(self, service: str) -> list[str]:
        """The service's command, with this checkout's programs and the test's own folder for passing
        files.
        """
        program, *words = read_compose()[service]["command"]
        words = [word.replace("/tmp/", f"{self.folder}/") for word in words]
        return [sys.executable if program == "python" else str(Path(sys.executable).parent / program), *words]

    def surround(self, service: str) -> dict[str, str]:
        """What the service's container has in its environment."""
        own = {"PORT": self.environment["PORT"]} if service == "web" else {}
        return {**self.environment, **(read_compose()[service].get("environment") or {}), **own}

    def run(
        self, *command: str, service: str = "web", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """A command in the service's environment, to its end."""
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**self.surround(service), **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

    def manage(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A management command, as an operator gives it in a container of the web service."""
        return self.run(sys.executable, "manage.py", *words, **environment)

    def ask(self, question: str) -> Any:
        """What the database answers the portal's own login."""
        connection = psycopg2.connect(self.environment["DATABASE_URL"])
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(question)
                return cursor.fetchall()
        finally:
            connection.close()

    def request(self, method: str, path: str, body: str = "", **headers: str) -> http.client.HTTPResponse:
        """A request to gunicorn as the proxy passes it on, answered and read."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self.environment["PORT"]), timeout=20)
        try:
            connection.request(
                method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
            )
            answer = connection.getresponse()
            answer.words = answer.read().decode()  # type: ignore[attr-defined]  # kept beside the answer
            return answer
        finally:
            connection.close()


def find_free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    folder = tmp_path_factory.mktemp("production")
    with ThrowAwayServers(folder / "servers") as servers:
        database = servers.owner_url.split("@")[1]
        environment = fill_in(
            DATABASE_URL=f"postgres://{LOGIN}:{quote(PASSWORD, safe='')}@{database}",
            DATABASE_OWNER_URL=servers.owner_url,
            REDIS_URL=servers.redis_url,
            BANK_FOLDER=str(folder / "bank"),
            STATIC_ROOT=str(folder / "static"),
            PORT=find_free_port(),
            PATH=os.defpath,
        )
        yield Production(servers, environment, folder)


@pytest.fixture(scope="module")
def prepared(production: Production) -> Production:
    done = production.run(*production.list_command("prepare"), service="prepare")
    assert done.returncode == 0, done.stderr
    return production


@contextmanager
def start(production: Production, service: str) -> Iterator[subprocess.Popen[bytes]]:
    log = production.folder / f"{service}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            production.list_command(service),
            cwd=ROOT,
            env=production.surround(service),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def web(prepared: Production) -> Iterator[Production]:
    collected = prepared.run(sys.executable, "-m", "django", "collectstatic", "--noinput", **DJANGO)
    assert collected.returncode == 0, collected.stderr
    with start(prepared, "web") as process:
        wait_for(process, lambda: answers(prepared), log=prepared.folder / "web.log")
        yield prepared


@pytest.fixture(scope="module")
def worker(prepared: Production) -> Iterator[Production]:
    with start(prepared, "worker") as process:
        log = prepared.folder / "worker.log"
        wait_for(process, lambda: "ready." in log.read_text(), log=log)
        yield prepared


DJANGO = {"DJANGO_SETTINGS_MODULE": "connector_pay.settings"}


def answers(production: Production) -> bool:
    try:
        return production.request("GET", "/readyz").status == 200
    except OSError:
        return False


def wait_for(process: subprocess.Popen[bytes], is_so: Callable[[], bool], *, log: Path) -> None:
    give_up_at = time.monotonic() + SECONDS
    while not is_so():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < give_up_at, log.read_text()
        time.sleep(0.2)


class TestCompose:
    def test_one_image_serves_every_service_of_ours(self):
        services = read_compose()
        assert {services[name]["image"] for name in OURS} == {"connector-pay"}
        assert set(services) == {*OURS, "postgres", "redis"}

    def test_only_the_service_that_prepares_the_database_knows_its_owner(self):
        services = read_compose()
        for name in ("web", "worker", "beat"):
            assert services[name]["environment"]["DATABASE_OWNER_URL"] == ""
            assert services[name]["environment"]["POSTGRES_PASSWORD"] == ""
        assert services["prepare"]["environment"] == {}

    def test_everything_waits_for_a_prepared_database(self):
        for name in ("web", "worker", "beat"):
            waits_for = read_compose()[name]["depends_on"]
            assert waits_for["prepare"] == {"condition": "service_completed_successfully"}


class TestDatabase:
    def test_preparing_it_again_changes_nothing(self, prepared):
        done = prepared.run(*prepared.list_command("prepare"), service="prepare")
        assert done.returncode == 0, done.stderr
        assert "No migrations to apply" in done.stdout

    def test_the_portals_login_cannot_rewrite_the_books(self, prepared):
        assert prepared.ask("SELECT count(*) FROM billing_movement") == [(0,)]
        for statement in (
            "UPDATE billing_movement SET cents = 1",
            "TRUNCATE billing_movement",
            "DROP TABLE billing_movement",
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                prepared.ask(statement)

    def test_one_login_for_both_is_refused(self, prepared):
        owner = prepared.environment["DATABASE_OWNER_URL"]
        done = prepared.run(
            *prepared.list_command("prepare"), service="prepare", DATABASE_URL=owner, DATABASE_OWNER_URL=owner
        )
        assert done.returncode == 1
        assert "a login of the portal's own" in done.stderr


class TestWeb:
    def test_it_is_alive_and_ready_whoever_asks(self, web):
        for path in ("/healthz", "/readyz"):
            assert web.request("GET", path, Host="10.0.0.7").status == 200

    def test_a_page_without_https_leads_to_https(self, web):
        answer = web.request("GET", "/", Host=HOST)
        assert answer.status == 301
        assert answer.headers["Location"] == f"https://{HOST}/"

    def test_a_page_over_https_is_shown_to_its_own_name_only(self, web):
        assert web.request("GET", "/", Host=HOST, X_Forwarded_Proto="https").status == 200
        assert web.request("GET", "/", Host="evil.example.com", X_Forwarded_Proto="https").status == 400

    def test_the_first_administrator_is_made_and_signs_in(self, web):
        made = web.manage(
            "createsuperuser",
            "--noinput",
            DJANGO_SUPERUSER_USERNAME=ADMINISTRATOR,
            DJANGO_SUPERUSER_EMAIL="first@example.org",
            DJANGO_SUPERUSER_PASSWORD=ADMINISTRATOR_PASSWORD,
        )
        assert made.returncode == 0, made.stderr
        headers = {"Host": HOST, "X_Forwarded_Proto": "https", "X_Forwarded_For": "192.0.2.1"}
        page = web.request("GET", "/accounts/login/", **headers)
        token = page.headers["Set-Cookie"].split("csrftoken=")[1].split(";")[0]
        form = {"login": ADMINISTRATOR, "password": ADMINISTRATOR_PASSWORD, "next": "/admin/login/"}
        answer = web.request(
            "POST",
            "/accounts/login/",
            urlencode({**form, "csrfmiddlewaretoken": token}),
            Cookie=f"csrftoken={token}",
            Referer=f"https://{HOST}/accounts/login/",
            Content_Type="application/x-www-form-urlencoded",
            **headers,
        )
        assert (answer.status, answer.headers["Location"]) == (302, "/admin/login/")
        cookies = answer.headers.get_all("Set-Cookie")
        assert all("Secure" in cookie for cookie in cookies)
        session = next(cookie.split(";")[0] for cookie in cookies if cookie.startswith("sessionid="))
        led = web.request("GET", "/admin/login/", Cookie=session, **headers)
        assert (led.status, led.headers["Location"]) == (302, "/accounts/2fa/?next=%2Fadmin%2F")


class TestWorker:
    def test_it_is_found_healthy_by_its_own_check(self, worker):
        check = read_compose()["worker"]["healthcheck"]["test"][1].replace("$$", "$")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
        done = worker.run("sh", "-c", check, service="worker", PATH=path, HOSTNAME=socket.gethostname())
        assert done.returncode == 0, done.stdout + done.stderr
        assert "pong" in done.stdout

    def test_it_runs_what_the_timetable_has_due(self, worker):
        celery = str(Path(sys.executable).parent / "celery")
        asked = worker.run(celery, "-A", "connector_pay", "call", "connector_pay.tasks.run_what_is_due")
        assert asked.returncode == 0, asked.stderr
        give_up_at = time.monotonic() + SECONDS
        question = "SELECT count(*) FROM lib_jobrun WHERE job = 'issue_invoices' AND finished_at IS NOT NULL"
        while worker.ask(question) == [(0,)]:
            assert time.monotonic() < give_up_at, (worker.folder / "worker.log").read_text()
            time.sleep(0.2)
        assert worker.ask("SELECT job, error FROM lib_jobrun WHERE error <> ''") == []


def test_beat_starts_and_keeps_its_schedule(prepared):
    with start(prepared, "beat") as process:
        log = prepared.folder / "beat.log"
        wait_for(process, lambda: "beat: Starting" in log.read_text(), log=log)
        time.sleep(1)
        assert process.poll() is None
        assert all(json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
        assert list(prepared.folder.glob("celerybeat-schedule*"))
