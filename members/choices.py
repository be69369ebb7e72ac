"""What members choose here: language, email, phone, paper or not; each choice a row, with who, when and from where.

What a member has chosen here stays: from then on intake leaves that column of theirs alone, whatever the exchange sends.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from members.models import Member, MemberChoice, User

MOST_A_DAY = 20
LONGEST_BROWSER = 300


class UnableToChoose(Exception):
    """Too many choices in a day: each may be told by a letter."""


@dataclass(frozen=True)
class Act:
    """Who chooses, when, in which language, and from where."""

    by: User
    at: datetime
    today: date
    language: str = "en"
    address: str | None = None
    browser: str = ""

    @property
    def member_pk(self) -> int:
        """The member who chooses, for themselves alone. Raises UnableToChoose for who is no member."""
        if self.by.member_id is None:
            raise UnableToChoose
        return self.by.member_id


def keep_choices(
    *, act: Act, values: Mapping[str, Any], text: str = "", text_version: str = ""
) -> list[MemberChoice]:
    """Put these values into the member's columns, each with its row; what stands so already is left as it is.

    `text` is what was agreed to, word for word. Raises UnableToChoose after too many in a day.
    """
    with transaction.atomic():
        member = Member.objects.select_for_update(no_key=True).get(pk=act.member_pk)
        changed = {what: value for what, value in values.items() if getattr(member, what) != value}
        if not changed:
            return []
        _refuse_too_many(act, changed)
        choices = [_draw_up(act, member, what, value, text, text_version) for what, value in changed.items()]
        for what, value in changed.items():
            setattr(member, what, value)
        member.save(update_fields=list(changed))
        return MemberChoice.objects.bulk_create(choices)


def choose_language(*, act: Act, language: str) -> list[MemberChoice]:
    """From now on bills, letters and emails come in this language."""
    return keep_choices(act=act, values={"language": language})


def find_chosen_here(*, member_ids: Iterable[int]) -> set[tuple[int, str]]:
    """Of these members, what each has chosen here: the member's key and the column."""
    chosen = MemberChoice.objects.filter(member__among=list(member_ids))
    return set(chosen.values_list("member_id", "what").distinct())


def _refuse_too_many(act: Act, changed: Mapping[str, Any]) -> None:
    lately = MemberChoice.objects.filter(member=act.member_pk, at__gt=act.at - timedelta(days=1))
    if lately.count() + len(changed) > MOST_A_DAY:
        raise UnableToChoose


def _draw_up(act: Act, member: Member, what: str, value: Any, text: str, text_version: str) -> MemberChoice:
    return MemberChoice(
        member=member,
        what=what,
        before=_write(getattr(member, what)),
        after=_write(value),
        text=text,
        text_version=text_version,
        language=act.language,
        by=act.by,
        at=act.at,
        address=act.address,
        browser=act.browser[:LONGEST_BROWSER],
    )


def _write(value: Any) -> str:
    """As a row keeps it: a choice between two is yes or no."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value or "")
