"""Charts: bars as high as their share, a title and a description for who does not see them, and no style of their own."""

import re
from itertools import pairwise

from connector_pay.lib.charts import FOOT, GAP, HEAD, HEIGHT, WIDEST, WIDTH, Bar, Chart, place_bar

FULL = HEIGHT - FOOT - HEAD


def make_chart(*values: int, second: str = "") -> Chart:
    bars = [Bar(f"<{number}>", value, f"${value}", value) for number, value in enumerate(values)]
    return Chart("days", "Money & more", bars, "Day", first="Today", second=second)


def test_the_tallest_bar_fills_the_picture_and_the_others_their_share():
    assert place_bar(number=0, of=2, value=100, tallest=100).height == FULL
    assert place_bar(number=1, of=2, value=25, tallest=100).height == FULL / 4
    assert place_bar(number=0, of=2, value=0, tallest=100).height == 0
    assert place_bar(number=0, of=2, value=0, tallest=0).height == 0


def test_a_day_alone_is_a_bar_in_the_middle_and_not_a_wall() -> None:
    alone = place_bar(number=0, of=1, value=1, tallest=1)
    assert alone.width == WIDEST
    assert alone.x + alone.width / 2 == WIDTH / 2
    assert place_bar(number=1, of=24, value=1, tallest=1).width == WIDTH / 24 * (1 - GAP)
    assert place_bar(number=0, of=2, value=-5, tallest=100).height == 0


def test_every_bar_stands_inside_the_picture_beside_the_one_before():
    places = [
        place_bar(number=number, of=24, value=5, tallest=5, turn=turn, turns=2)
        for number in range(24)
        for turn in (0, 1)
    ]
    assert all(place.x >= 0 and place.x + place.width <= WIDTH for place in places)
    assert all(left.x + left.width <= right.x + 0.02 for left, right in pairwise(places))


def test_a_picture_says_what_it_shows_and_escapes_its_words():
    drawn = str(make_chart(1, 3, 2).draw())
    assert '<title id="days-title">Money &amp; more</title>' in drawn
    assert "3 bars. The highest is &lt;1&gt;: $3." in drawn
    assert 'aria-labelledby="days-title days-desc"' in drawn
    assert drawn.count("<rect") == 3
    assert "style" not in drawn
    assert str(make_chart(1, 3, 2, second="Then").draw()).count("<rect") == 6


def test_nothing_to_show_is_said():
    assert "There is nothing to show." in str(make_chart().draw())
    assert "There is nothing to show." in str(make_chart(0, 0).draw())


def test_of_many_bars_few_are_labeled():
    assert len(re.findall("<text", str(make_chart(*range(30)).draw()))) == 10
