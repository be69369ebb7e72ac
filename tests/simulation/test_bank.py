"""The sandbox bank's bad days: each leaves our books as they were, and is over by itself."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from connector_pay.lib import clock
from connector_pay.lib.clock import eastern_moment
from connector_pay.simulation.bank import MoodyBank
from payments.ach.banking_days import FEDERAL_RESERVE
from payments.bank import UnableToReachBank, UnableToTellOutcome

MORNING, FIVE, EVENING = time(7), time(17), time(21)
DAYS = [date(2027, 2, 1) + timedelta(days=days) for days in range(365)]


@pytest.fixture
def open_at(settings, tmp_path: Path):
    """The bank as it is at a moment."""
    settings.SANDBOX_BANK_SEED = 1

    def open_bank(day: date, at: time = MORNING) -> MoodyBank:
        moment = eastern_moment(day=day, at=at)
        clock.stand_at(moment)
        return MoodyBank(folder=tmp_path, at=moment, calendar=FEDERAL_RESERVE)

    yield open_bank
    clock.stand_at(None)


def find_day(open_at, what: str, *, but: tuple[str, ...] = ()) -> date:
    """The first banking day on which this goes wrong, and none of the others."""
    chances = {"down": 3, "silent": 3, "line": 6, "repeats": 5, "shuffles": 20}

    def draws(day: date) -> dict[str, bool]:
        bank = open_at(day)
        return {name: bank._draws(name, chance) for name, chance in chances.items()}

    return next(
        day
        for day in DAYS
        if FEDERAL_RESERVE.is_banking_day(day)
        for drawn in [draws(day)]
        if drawn[what] and not any(drawn[name] for name in ("down", *but) if name != what)
    )


def test_a_bank_that_is_down_answers_nothing_all_day_and_everything_the_next(open_at):
    day = find_day(open_at, "down")
    for at in (MORNING, FIVE, EVENING):
        for ask in (lambda bank: bank.list_incoming(), lambda bank: bank.find(name="CP-1")):
            with pytest.raises(UnableToReachBank):
                ask(open_at(day, at))
    with pytest.raises(UnableToReachBank):
        open_at(day, FIVE).put(name="CP-1", data=b"x")
    tomorrow = next(later for later in DAYS if later > day and not open_at(later)._draws("down", 3))
    assert open_at(tomorrow).list_incoming()


def test_a_silent_bank_leaves_todays_file_tomorrow(open_at):
    day = find_day(open_at, "silent")
    todays = f"RETURNS-{day:%Y%m%d}.ach"
    assert not any(todays in name for name in open_at(day).list_incoming())
    tomorrow = next(later for later in DAYS if later > day and not open_at(later)._draws("down", 3))
    assert any(todays in name for name in open_at(tomorrow).list_incoming())


def test_everything_again_is_the_same_bytes_under_another_name(open_at):
    bank = open_at(find_day(open_at, "repeats", but=("silent",)))
    names = bank.list_incoming()
    again = [name for name in names if name.startswith("AGAIN-")]
    assert len(names) == 2 * len(again) > 0
    assert all(bank.get(name=name) == bank.get(name=name.removeprefix("AGAIN-")) for name in again)


def test_any_order_is_still_every_file(open_at):
    day = find_day(open_at, "shuffles", but=("silent", "repeats"))
    names = open_at(day).list_incoming()
    assert names != sorted(names)
    assert len(set(names)) == len(names) > 5


def test_a_lost_line_leaves_the_outcome_open_until_the_evening(open_at):
    outcomes = set()
    for day in DAYS:
        bank = open_at(day, FIVE)
        if not bank.is_line_lost or bank._draws("down", 3):
            continue
        with pytest.raises(UnableToTellOutcome):
            bank.put(name=f"CP-{day}", data=b"x")
        taken = (bank.taken / f"CP-{day}").exists()
        outcomes.add(taken)
        if taken:
            with pytest.raises(UnableToReachBank):
                bank.find(name=f"CP-{day}")
        else:
            assert bank.find(name=f"CP-{day}") is None
        assert (open_at(day, EVENING).find(name=f"CP-{day}") is not None) == taken
        (bank.taken / f"CP-{day}").unlink(missing_ok=True)
    assert outcomes == {True, False}
