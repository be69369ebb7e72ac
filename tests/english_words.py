"""English, or too familiar a Spanish, on a page that should have neither: in its texts and in its labels."""

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from members.models import Carrier, Member, Plan

READ = ("alt", "aria-label", "content", "data-label", "placeholder", "title")
# Words of English that are no words of Spanish.
WORDS = """
    about account add address after again all amount and another any are ask authorize back bank be before bill bills but by call
    can card cancel canceled cannot change check checking choose computer confirm continue counts coverage covered credit date
    day days debit delete different digits do does due each eastern email empty end ending ends enter every first for from get go
    guest health hello help here home how if in is it its keep last late later leave less letter like link lost made mail make
    may member minutes money month more most must name new next not nothing now number of off on one online open or other our
    out over owe paid past pay paying payment payments phone pick please press processing received remove reset routing safe
    savings scheduled see send sent set should show sign start starts status stay step still such take taken tell than that
    the their them then there these they this time to today too try turn type until up wait was way we what when where which
    who will with would wrong yes yet you your
    january february march april june july august september october november december monday tuesday friday
"""
_ENGLISH = re.compile(rf"\b({'|'.join(WORDS.split())})\b", re.IGNORECASE)
# Words of Spanish that speak to someone as "tú", not as "usted".
FAMILIAR = re.compile(
    r"\b(tú|tu|tus|te|ti|contigo|puedes|debes|quieres|tienes|eres|estás|has)\b", re.IGNORECASE
)
_ADDRESSES = re.compile(r"\S+@\S+|https?://\S+|\S+\.(?:org|com|pdf|csv)\b")


class Texts(HTMLParser):
    """Every text that a person reads or hears of a page, except what says that it is in English."""

    VOID = ("area", "br", "hr", "img", "input", "link", "meta", "path", "circle", "rect")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    @property
    def is_silent(self) -> bool:
        """Inside a script, or inside words that are marked as English."""
        return any(silent for _tag, silent in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        silent = tag in ("script", "style") or facts.get("lang") == "en"
        if tag not in self.VOID:
            self._open.append((tag, silent))
        if not self.is_silent and not (tag == "meta" and facts.get("name") != "description"):
            self.found += [str(facts[name]) for name in READ if facts.get(name)]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, text: str) -> None:
        if text.strip() and not self.is_silent:
            self.found.append(" ".join(text.split()))


def find_english(html: str, *, phrases: Iterable[str]) -> Iterator[str]:
    """The texts of a page that are one of the English `phrases`, or hold a word of English outside of names, or a "tú"."""
    reader, names, known = Texts(), list_names(), set(phrases)
    reader.feed(html)
    for text in reader.found:
        bare = _ADDRESSES.sub(" ", text)
        for name in names:
            bare = bare.replace(name, " ")
        word = _ENGLISH.search(bare) or FAMILIAR.search(bare)
        if word or text in known:
            yield f"{text!r} ({word[0] if word else 'a phrase of the catalog'})"


def list_untranslated(phrases: Iterable[str]) -> list[str]:
    """The phrases whose Spanish differs from them."""
    with translation.override("es"):
        return [phrase for phrase in phrases if gettext(phrase) != phrase]


def list_names() -> list[str]:
    """Proper names, the longest first: the exchange, plans, carriers, people, and names of things."""
    names = {
        "PayPal",
        "TTY",
        "English",
        *(str(word) for key, word in settings.EXCHANGE.items() if key != "hours"),
    }
    for plan in Plan.objects.select_related("carrier"):
        names |= {plan.name, plan.remittance_name, plan.carrier.name, *plan.remittance_address.splitlines()}
    names |= set(Carrier.objects.values_list("name", flat=True))
    for member in Member.objects.all():
        names |= {member.first_name, member.last_name}
    return sorted(filter(None, names), key=len, reverse=True)
