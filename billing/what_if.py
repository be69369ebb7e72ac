"""What if: what an act would do to money, to dates and to what members are told, found by doing it and taking it back.

    tried = try_out(account_ids=[account_id], today=today, act=partial(adjust, account_id=account_id, ...))
    Effect(tables=tried.list_tables())            # of connector_pay.lib.staff_pages: its pages draw it
    tried.effects[account_id].list_changes()      # or read what changes: words, before, after

The act is the very function that the button calls, with the arguments of the button. All of it runs in a transaction that is
rolled back: no row stays, no notice leaves, nothing wakes a worker; the accounts are locked for that moment. What refuses
the act is raised as it is, for the page to show. Name every account that the act touches, also one that money moves to.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max

from billing.accounts import lock_accounts
from billing.balances import Standing, read_standings
from billing.episodes import find_cured
from billing.models import BEHIND, Account, Episode
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from members.models import EnrollmentStatus, Notice
from members.notices import find_kind

NOTHING = "None"
COVERAGE = {
    EnrollmentStatus.WAITING.value: "Waits for its first payment",
    EnrollmentStatus.ACTIVE.value: "Active",
    EnrollmentStatus.EXPIRED.value: "Expired",
    EnrollmentStatus.ENDED.value: "Ended",
}


class Change(NamedTuple):
    """One line of a preview: what it is about, how it stands, and how it would stand."""

    words: str
    before: str
    after: str

    @property
    def is_new(self) -> bool:
        """Whether the act changes it."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Picture:
    """How an account stands at one moment; `behind` is its time of falling behind, `is_cured` whether tonight would end that."""

    standing: Standing
    behind: Episode | None = None
    is_cured: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """One account before an act and after it, and the subjects of the notices that the act would send its member."""

    account: Account
    before: Picture
    after: Picture
    told: tuple[str, ...] = ()

    def list_changes(self) -> list[Change]:
        """Every line of the preview, those that stay as they are among them: money first, then each bill, then the dates."""
        pairs = [(describe(self.before), describe(self.after)) for describe in _DESCRIBE]
        return [
            Change(words, was.get(words, NOTHING), will.get(words, NOTHING))
            for was, will in pairs
            for words in was | will
        ]

    @property
    def title(self) -> str:
        """Whose account it is."""
        enrollment = self.account.enrollment
        return f"What this does: {enrollment.plan.name} of {enrollment.member.full_name}"

    @property
    def told_words(self) -> str:
        """The subjects of what the member is told, or that it is nothing."""
        return "; ".join(self.told) or NOTHING

    @property
    def is_empty(self) -> bool:
        """Whether the account would stand as before, and nobody hear of anything."""
        return not self.told and not any(change.is_new for change in self.list_changes())


@dataclass(frozen=True, slots=True)
class Tried:
    """What an act would do, account by account; `answer` is what it returned, whose rows do not exist any more."""

    effects: Mapping[int, Effect] = field(default_factory=dict)
    answer: object = None

    def list_tables(self) -> list[tuple[str, list[Change]]]:
        """A table for each account: whose it is, and its lines, with what the member is told as the last."""
        return [
            (effect.title, [*effect.list_changes(), Change("The member is told", NOTHING, effect.told_words)])
            for effect in self.effects.values()
        ]


def try_out(*, account_ids: Iterable[int], today: date, act: Callable[[], object]) -> Tried:
    """Do it, look, and take it back: how each of the accounts would stand today. What refuses the act is raised."""
    keys = sorted(set(account_ids))
    with transaction.atomic():
        lock_accounts(account_ids=keys)
        before, last = _picture(keys, today=today), _read_last_notice()
        answer = act()
        after, told = _picture(keys, today=today), _read_told(keys, after=last)
        transaction.set_rollback(True)
    accounts = Account.objects.select_related("enrollment__member", "enrollment__plan").in_bulk(keys)
    effects = {key: Effect(accounts[key], before[key], after[key], told.get(key, ())) for key in keys}
    return Tried(effects=effects, answer=answer)


def _picture(account_ids: list[int], *, today: date) -> dict[int, Picture]:
    standings = read_standings(account_ids=account_ids, today=today)
    behind = Episode.objects.filter(account__among=account_ids, status__in=BEHIND)
    episodes = {item.account_id: item for item in behind}
    cured = find_cured(episodes=episodes.values(), standings=standings, today=today)
    return {
        key: Picture(standing, episodes.get(key), key in episodes and episodes[key].pk in cured)
        for key, standing in standings.items()
    }


def _read_last_notice() -> int:
    return Notice.objects.aggregate(last=Max("pk"))["last"] or 0


def _read_told(account_ids: list[int], *, after: int) -> dict[int, tuple[str, ...]]:
    """What the members of the accounts are told by the act, each subject once; a member of two accounts hears it beside both."""
    members: dict[int, int] = dict(
        Account.objects.filter(pk__in=account_ids).values_list("pk", "enrollment__member_id")
    )
    told: dict[int, list[str]] = {key: [] for key in members.values()}
    for notice in Notice.objects.filter(pk__gt=after, member__in=list(told)).order_by("pk"):
        if notice.member_id is not None:
            kind = find_kind(event=notice.event, facts=notice.facts)
            told[notice.member_id].append(kind.subjects["en"])
    return {key: tuple(dict.fromkeys(told[member])) for key, member in members.items()}


def _describe_money(picture: Picture) -> dict[str, str]:
    standing = picture.standing
    return {
        "Owed in all": format_dollars(standing.due_cents),
        "Of that past due": format_dollars(standing.past_due_cents),
        "Credit": format_dollars(standing.credit_cents),
    }


def _describe_bills(picture: Picture) -> dict[str, str]:
    return {
        f"Still to pay for {bill.coverage_month:%B %Y}": (
            f"{format_dollars(bill.remaining_cents)} by {long_date(bill.due_date)}"
        )
        for bill in picture.standing.open_invoices
    }


def _describe_dates(picture: Picture) -> dict[str, str]:
    standing = picture.standing
    lines = {
        "Coverage": COVERAGE[standing.enrollment_status],
        "Coverage starts": long_date(standing.coverage_start),
    }
    if picture.behind is not None:
        lines["Behind since"] = f"{picture.behind.oldest_month:%B %Y}"
        lines["To stay covered"] = _describe_ladder(picture.behind, is_cured=picture.is_cured)
    return lines


def _describe_ladder(episode: Episode, *, is_cured: bool) -> str:
    if is_cured:
        return "Paid in time: no longer behind from tonight"
    last_day, ends_on = episode.ladder.last_day_to_pay, episode.ladder.ends_on
    end = long_date(ends_on) if ends_on else "a day that staff choose"
    return f"Pay by {long_date(last_day)}, else coverage ends {end}"


_DESCRIBE = (_describe_money, _describe_bills, _describe_dates)
