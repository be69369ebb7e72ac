"""Two workers hand files over at once: without the lock the bank is handed one file by both; with it, by one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from connector_pay.lib.clock import eastern_moment
from connector_pay.self_check import find_violations
from payments.ach import batching, sending
from payments.bank.folder import FolderBank
from payments.models import BankFile
from payments.settlement import validate_waiting
from tests.conftest import CommittedDatabase
from tests.payments.paying import TUESDAY, make_account, pay
from tests.races.together import LONG_ENOUGH_TO_WAIT_SECONDS, PATIENCE_SECONDS

AT_FIVE = eastern_moment(day=TUESDAY, at=time(17))


class SlowBank(FolderBank):
    """The first hand-over takes until it is told to go on."""

    def __init__(self, *, folder: Path) -> None:
        super().__init__(folder=folder)
        self.puts = 0
        self.began, self.go_on = threading.Event(), threading.Event()

    def put(self, *, name: str, data: bytes) -> None:
        self.puts += 1
        if not self.began.is_set():
            self.began.set()
            self.go_on.wait(PATIENCE_SECONDS)
        super().put(name=name, data=data)


@pytest.fixture
def bank(tmp_path: Path) -> SlowBank:
    return SlowBank(folder=tmp_path / "slow")


@pytest.fixture(autouse=True)
def _file(committed_db: CommittedDatabase) -> None:
    """One file waits."""
    pay(make_account())
    validate_waiting(today=TUESDAY, at=AT_FIVE)
    batching.build_files(today=TUESDAY, at=AT_FIVE)


def send(bank: SlowBank) -> int:
    try:
        return sending.send_waiting(bank=bank, at=AT_FIVE)
    finally:
        connection.close()


def send_from_two_workers(bank: SlowBank) -> list[Any]:
    """The second begins while the first is in the middle of the hand-over."""
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(send, bank)
        assert bank.began.wait(PATIENCE_SECONDS)
        second = pool.submit(send, bank)
        try:
            second.exception(LONG_ENOUGH_TO_WAIT_SECONDS)
        except TimeoutError:
            pass
        finally:
            bank.go_on.set()
        return [first.result(PATIENCE_SECONDS), second.result(PATIENCE_SECONDS)]


def test_without_the_lock_both_workers_hand_the_file_over(bank, monkeypatch):
    monkeypatch.setattr(sending, "_hold_hand_over", lambda **facts: nullcontext())
    send_from_two_workers(bank)
    assert bank.puts == 2


def test_with_the_lock_the_second_worker_waits_and_finds_it_sent(bank):
    assert send_from_two_workers(bank) == [1, 0]
    assert bank.puts == 1
    assert BankFile.objects.get().status == "sent"
    assert find_violations() == []


def test_nobody_resolves_a_file_that_is_being_handed_over(bank):
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, bank)
        assert bank.began.wait(PATIENCE_SECONDS)
        try:
            with pytest.raises(sending.AlreadyHandingOver):
                sending.resolve_unknown(
                    name=BankFile.objects.get().name, sent=False, why="nothing there", at=AT_FIVE
                )
        finally:
            bank.go_on.set()
        assert first.result(PATIENCE_SECONDS) == 1
    assert BankFile.objects.get().status == "sent"
