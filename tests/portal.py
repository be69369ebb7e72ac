"""A running portal for tests that drive it from outside: gunicorn on a database of its own, and people with bills due."""

import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from billing import invoices
from connector_pay.lib import clock
from members.models import Member, User
from tests import databases, people
from tests.databases import ROOT

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Household:
    """Somebody with bills due, made for one test."""

    member: Member
    user: User
    email: str
    password: str = people.PASSWORD


@dataclass
class Portal:
    """The portal as gunicorn serves it, on a database of its own; its clock is the machine's."""

    url: str
    database: str
    process: subprocess.Popen[bytes]
    log: Path
    households: list[Household] = field(default_factory=list)

    def add_household(self, *, products: tuple[str, ...] = ("health",), **facts: object) -> Household:
        """A member who can sign in, with a first bill due for each product."""
        today = clock.today()
        member = people.make_member(**facts)
        for product in products:
            people.make_enrollment(
                member=member,
                product=product,
                premium_cents=312_44 if product == "health" else 31_50,
                requested_start=find_next_start(today),
                at=clock.now(),
            )
        invoices.issue_missing(today=today, at=clock.now())
        household = Household(member=member, user=people.make_user(member=member), email=member.email)
        self.households.append(household)
        return household


def find_next_start(today: date) -> date:
    """The first month that paying today still starts coverage in."""
    from billing.due_dates import find_pay_by

    return find_pay_by(today=today).start_date


def start_portal(*, name: str, folder: Path) -> Portal:
    """Start gunicorn on the database of this name and wait until it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        log = folder / "gunicorn.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(
                        sys.executable,
                        "-m",
                        "gunicorn",
                        "connector_pay.wsgi",
                        "--bind",
                        f"fd://{listener.fileno()}",
                    ),
                    *("--worker-class", "gthread", "--workers", "2", "--threads", "8"),
                ],
                env={
                    **databases.environment_of(name),
                    "SANDBOX_BANK_DIR": str(folder / "bank"),
                    "PORTAL_URL": url,
                    # All the people of these tests come from one address.
                    "PREMIUM_POLICY": '{"guest_find_per_address": 10000, "guest_find_overall": 10000}',
                },
                cwd=ROOT,
                stdout=output,
                stderr=output,
                pass_fds=[listener.fileno()],
            )
    wait_until_ready(url=url, log=log)
    return Portal(url=url, database=name, process=process, log=log)


def wait_until_ready(*, url: str, log: Path) -> None:
    """Ask /readyz until it answers 200."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        try:
            with urllib.request.urlopen(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"The portal did not get ready:\n{log.read_text()[-3000:]}")
