"""`manage.py simulate`: the same numbers give the same last line, and nothing is left behind however it ends."""

import os
import re
import signal

import pytest

from tests.simulation.simulating import finish, list_folders, list_scratch, start

SEEDS = range(2, 22)
pytestmark = pytest.mark.usefixtures("django_db_setup")


def test_the_same_numbers_give_the_same_last_line_whatever_the_order_of_sets():
    first, second = (start(members=20, months=1, seed=7, hash_seed=seed) for seed in ("1", "2"))
    lines, again = finish(first), finish(second)
    assert re.fullmatch("[0-9a-f]{64}", lines[-1])
    assert lines[-1] == again[-1]
    assert lines[0] == "Seed 7: 20 households, 1 months, on a scratch database"
    assert lines[1].startswith("2027-01  ")
    table = {line.split()[0]: line.split()[1:] for line in lines[3:-1]}
    assert list(table)[:3] == ["billed", "collected", "returned"]
    assert {"pushed", "restored", "terminated", "refunded"} < set(table)
    assert int(table["billed"][0]) > 15
    assert re.fullmatch(r"\$[\d,]+\.\d\d", table["billed"][1])


def test_ctrl_c_and_a_polite_end_leave_nothing_behind(tmp_path):
    for how, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = start(members=5, months=12, seed=1, place=tmp_path)
        assert process.stdout.readline().startswith("Seed 1")
        ours = {name for name in list_scratch() if name.startswith(f"simulation_{process.pid}_")}
        assert len(ours) == 1
        os.killpg(process.pid, how)
        process.communicate()
        assert process.returncode == code
        assert not ours & list_scratch()
        assert list_folders(tmp_path) == set()


@pytest.mark.prove
@pytest.mark.parametrize("seed", SEEDS)
def test_a_year_of_another_seed_breaks_nothing(seed: int):
    lines = finish(start(members=200, months=12, seed=seed))
    assert re.fullmatch("[0-9a-f]{64}", lines[-1])


@pytest.mark.prove
def test_another_seed_is_another_year():
    lines = [finish(start(members=15, months=1, seed=seed)) for seed in (1, 2)]
    assert lines[0][-1] != lines[1][-1]
