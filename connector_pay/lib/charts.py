"""Charts as pictures that the server draws: bars with a title and a description, colored by the style sheet alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, FOOT, HEAD = 720, 200, 24, 20
GAP = 0.2  # of a bar's place
WIDEST = 80  # a day alone is a bar, not a wall
LABELS_AT_MOST = 12
MARGIN = 24  # a label's middle comes no nearer to an edge


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its words below, what it is worth, and that in words; `beside` is the same thing at another time."""

    label: str
    value: int
    words: str
    beside: int = 0
    beside_words: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bar stands, in the picture's own units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A row of bars under a title. `first` and `second` name the two kinds of bars, where there are two."""

    key: str
    title: str
    bars: Sequence[Bar]
    of: str
    first: str = ""
    second: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether every bar is nothing."""
        return not any(bar.value or bar.beside for bar in self.bars)

    @property
    def description(self) -> str:
        """What a reader who does not see the picture hears; the table below has every figure."""
        if self.is_empty:
            return "There is nothing to show."
        most = max(self.bars, key=lambda bar: bar.value)
        return f"{len(self.bars)} bars. The highest is {most.label}: {most.words}."

    def draw(self) -> SafeString:
        """The picture as SVG."""
        parts = format_html_join("", "{}", ((part,) for part in self._draw_bars()))
        return format_html(
            '<svg class="cp-chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{key}-title {key}-desc">'
            '<title id="{key}-title">{}</title><desc id="{key}-desc">{}</desc>{}'
            '<line class="cp-chart__axis" x1="0" y1="{}" x2="{}" y2="{}"></line></svg>',
            WIDTH,
            HEIGHT,
            self.title,
            self.description,
            parts,
            HEIGHT - FOOT,
            WIDTH,
            HEIGHT - FOOT,
            key=self.key,
        )

    def _draw_bars(self) -> list[SafeString]:
        tallest = max((max(bar.value, bar.beside) for bar in self.bars), default=0)
        has_two = bool(self.second)
        drawn = []
        every = -(-len(self.bars) // LABELS_AT_MOST) or 1
        for number, bar in zip(count(), self.bars):
            values = [(bar.beside, "cp-chart__beside"), (bar.value, "cp-chart__bar")]
            for turn, (value, name) in enumerate(values if has_two else values[1:]):
                place = place_bar(
                    number=number,
                    of=len(self.bars),
                    value=value,
                    tallest=tallest,
                    turn=turn,
                    turns=1 + has_two,
                )
                drawn.append(_draw_rect(place, name))
            if number % every == 0:
                drawn.append(_draw_label(number, len(self.bars), bar.label))
        return drawn


def place_bar(*, number: int, of: int, value: int, tallest: int, turn: int = 0, turns: int = 1) -> Place:
    """The place of the bar with this number: as high as its share of the tallest, beside its twin where it has one."""
    step = WIDTH / of
    group = min(step * (1 - GAP), WIDEST)
    width = group / turns
    height = (HEIGHT - FOOT - HEAD) * value / tallest if tallest > 0 and value > 0 else 0.0
    x = number * step + (step - group) / 2 + turn * width
    return Place(round(x, 2), round(HEIGHT - FOOT - height, 2), round(width, 2), round(height, 2))


def _draw_rect(place: Place, name: str) -> SafeString:
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"></rect>',
        name,
        place.x,
        place.y,
        place.width,
        place.height,
    )


def _draw_label(number: int, of: int, label: str) -> SafeString:
    x = round(min(max((number + 0.5) * WIDTH / of, MARGIN), WIDTH - MARGIN), 2)
    return format_html('<text class="cp-chart__label" x="{}" y="{}">{}</text>', x, HEIGHT - 6, label)
