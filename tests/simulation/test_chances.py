"""Chances: one table of weights, and dice that depend on nothing but what they are for."""

from connector_pay.simulation.chances import choose, happens, roll


def test_what_weighs_nothing_never_happens():
    drawn = {choose(roll(1, "day", day), {"early": 3, "late": 0, "on time": 1}) for day in range(200)}
    assert drawn == {"early", "on time"}
    assert not any(happens(roll(1, day), 0) for day in range(200))
    assert all(happens(roll(1, day), 100) for day in range(200))


def test_each_purpose_has_dice_of_its_own():
    assert roll(1, "household", 7).random() == roll(1, "household", 7).random()
    others = [roll(2, "household", 7), roll(1, "month", 7), roll(1, "household", 8)]
    assert roll(1, "household", 7).random() not in {dice.random() for dice in others}
