"""A worker that builds and sends is killed again and again in mid-run: nothing is sent twice, nothing is lost."""

import hashlib
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from connector_pay.self_check import find_violations
from payments import tasks
from payments.ach.contents import parse_batches
from payments.ach.reading import read_file
from payments.models import BankAccount, BankFile, Payment
from payments.settlement import validate_waiting
from tests.diary import eastern
from tests.payments.paying import TUESDAY, make_account, pay

pytestmark = pytest.mark.prove
KILLS, PAYMENTS_A_ROUND, SEED = 50, 8, 20270112
AT_FIVE = eastern(2027, 1, 12, 17)


def test_fifty_kills_in_mid_run_with_the_sandbox_bank(committed_db):
    kill_and_check(fetch=lambda: None, bank_dirs=[Path(settings.SANDBOX_BANK_DIR) / "from_exchange"])


def test_fifty_kills_in_mid_run_with_a_folder_that_the_bank_empties_all_the_time(committed_db, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    outgoing = tmp_path / "exchange" / "outgoing"

    def fetch() -> None:
        for path in outgoing.glob("CP-*"):
            path.rename(taken / f"{len(os.listdir(taken))} {path.name}")

    folder = {"BANK_DRIVER": "folder", "BANK_FOLDER": str(tmp_path / "exchange")}
    with override_settings(**folder, BANK_VALIDATION_METHODS=["manual"]):
        kill_and_check(fetch=fetch, bank_dirs=[taken, outgoing])


def kill_and_check(*, fetch: Callable[[], None], bank_dirs: list[Path]) -> None:
    """Fifty workers die; then one lives to the end, and the bank has each stored file once and each debit once."""
    chance, account = random.Random(SEED), make_account()
    killed = rounds = 0
    seconds = 0.2
    while killed < KILLS:
        rounds += 1
        for _ in range(PAYMENTS_A_ROUND):
            pay_and_validate(account)
        died, took = run_worker(rounds, fetch=fetch, die_after=chance.uniform(0, seconds))
        killed += died
        seconds = seconds if died else 0.7 * seconds + 0.3 * took
        if killed % 10 == 0:
            assert find_violations() == []
    assert run_worker(rounds + 1, fetch=fetch, die_after=None)[0] is False
    fetch()
    assert find_violations() == []
    check_the_bank(bank_dirs, payments=rounds * PAYMENTS_A_ROUND)


def pay_and_validate(account: object) -> None:
    """One debit that may go out."""
    with override_settings(BANK_DRIVER="sandbox", BANK_VALIDATION_METHODS=["instant"]):
        pay(account, 1_00)
        validate_waiting(today=TUESDAY, at=AT_FIVE)
    assert not BankAccount.objects.exclude(status="valid").exists()


def run_worker(number: int, *, fetch: Callable[[], None], die_after: float | None) -> tuple[bool, float]:
    """A worker of its own minute, killed after so many seconds; whether it was, and how long it ran."""
    connection.close()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        work_and_exit(number)
    while True:
        fetch()
        ended, status = os.waitpid(child, os.WNOHANG)
        took = time.monotonic() - began
        if ended:
            code = os.waitstatus_to_exitcode(status)
            assert code in (0, -signal.SIGKILL), code
            return code != 0, took
        if die_after is not None and took >= die_after:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.001)


def work_and_exit(number: int) -> None:
    code = 1
    try:
        connection.connection = None
        tasks.send_files(day=TUESDAY, at=AT_FIVE + timedelta(minutes=number))
        code = 0
    finally:
        os._exit(code)


def check_the_bank(bank_dirs: list[Path], *, payments: int) -> None:
    """Each of our files is there once, byte for byte; each payment in one of them, once."""
    found = [path for place in bank_dirs for path in place.glob("*CP-*")]
    at_bank = sorted((path.name.split()[-1], hashlib.sha256(path.read_bytes()).hexdigest()) for path in found)
    ours = BankFile.objects.filter(direction="out", status="sent").order_by("name")
    assert at_bank == list(ours.values_list("name", "sha256"))
    assert not BankFile.objects.filter(direction="out").exclude(status="sent").exists()
    numbers = [
        entry.individual_id
        for path in found
        for _, entries in parse_batches(parsed=read_file(source=path.read_bytes()))
        for entry in entries
    ]
    assert len(numbers) == len(set(numbers)) == payments
    assert set(numbers) == set(
        Payment.objects.filter(status="sent").values_list("confirmation_number", flat=True)
    )
