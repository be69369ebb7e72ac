"""AutoPay's state in words: On, Paused, Stopped with why, Off; and what the next drafts take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.balances import Standing
from connector_pay.lib.clock import business_date
from payments.ach.banking_days import BankingCalendar
from payments.autopay.amounts import (
    Forecast,
    Outlook,
    find_last_announcing,
    forecast,
    read_announced,
    read_outlooks,
)
from payments.autopay.days import find_draft_day, find_next_draft
from payments.autopay.plans import list_days
from payments.autopay.setting_up import may_set_up
from payments.bank_accounts import CLOSED
from payments.banking_calendar import read_calendar
from payments.models import BankAccountStatus, Mandate, MandateStatus

WORDS = {
    MandateStatus.ON: gettext_lazy("On"),
    MandateStatus.SUSPENDED: gettext_lazy("Paused"),
    MandateStatus.STOPPED: gettext_lazy("Stopped"),
    MandateStatus.ENDED: gettext_lazy("Off"),
}
TONES = {
    MandateStatus.ON: "good",
    MandateStatus.SUSPENDED: "waiting",
    MandateStatus.STOPPED: "bad",
    MandateStatus.ENDED: "off",
}
SHUT = (*CLOSED, BankAccountStatus.PAUSED)


@dataclass(frozen=True)
class State:
    """AutoPay of one account: its last mandate, None where it never had one; and the next drafts, none unless it is on."""

    standing: Standing
    mandate: Mandate | None
    forecasts: Sequence[Forecast] = ()

    @property
    def status(self) -> MandateStatus:
        """Off where there has never been a mandate."""
        return MandateStatus(self.mandate.status) if self.mandate else MandateStatus.ENDED

    @property
    def words(self) -> str:
        """The one public word."""
        return str(WORDS[self.status])

    @property
    def tone(self) -> str:
        """How the word is drawn."""
        return TONES[self.status]

    @property
    def is_on(self) -> bool:
        """Whether anything will be drafted."""
        return self.status == MandateStatus.ON

    @property
    def is_alive(self) -> bool:
        """Whether there is something to turn off."""
        return self.status in (MandateStatus.ON, MandateStatus.SUSPENDED)

    @property
    def can_set_up(self) -> bool:
        """Whether bills are still to come."""
        return may_set_up(standing=self.standing)

    @property
    def next(self) -> Forecast | None:
        """The next draft that takes anything."""
        return next((item for item in self.forecasts if item.cents), None)

    @property
    def most_cents(self) -> int:
        """The most that one draft may take; nothing while it is off."""
        return self.mandate.authorization.amount_cents if self.mandate and self.is_on else 0

    @property
    def is_above(self) -> bool:
        """Whether the next draft would take more than was authorized, so that nothing is taken."""
        return bool(self.next and self.next.cents > self.most_cents)

    @property
    def why(self) -> str:
        """Why it is paused or stopped, and what to do; empty otherwise."""
        if self.status == MandateStatus.SUSPENDED:
            return _("A payment came back from your bank. Call us to go on, or set up AutoPay again.")
        if self.status != MandateStatus.STOPPED or not self.mandate:
            return ""
        if self.mandate.bank_account.status in SHUT:
            return _("Your bank account cannot be used. Set up AutoPay with another account.")
        return _("A payment came back from your bank. Set up AutoPay again to go on.")


def read_states(*, standings: Mapping[int, Standing], at: datetime) -> dict[int, State]:
    """AutoPay of each account; as many statements for one as for many."""
    calendar, outlooks = read_calendar(), read_outlooks(standings=standings)
    last = (
        Mandate.objects.filter(account__among=list(standings)).order_by("account", "-pk").distinct("account")
    )
    mandates = {
        mandate.account_id: mandate for mandate in last.select_related("bank_account", "authorization")
    }
    draft_date = find_next_draft(at=at, calendar=calendar).received_date
    announced = read_announced(account_ids=standings, draft_date=draft_date)
    return {
        key: State(
            standing,
            mandates.get(key),
            _list_forecasts(
                mandates.get(key), outlooks[key], announced.get(key, 0), calendar=calendar, at=at
            ),
        )
        for key, standing in standings.items()
    }


def _list_forecasts(
    mandate: Mandate | None,
    outlook: Outlook,
    announced_cents: int,
    *,
    calendar: BankingCalendar,
    at: datetime,
) -> list[Forecast]:
    """The next drafts of a mandate that is on; of the first no more than was announced, once no more can be."""
    if not mandate or mandate.status != MandateStatus.ON or not may_set_up(standing=outlook.standing):
        return []
    following = find_next_draft(at=at, calendar=calendar)
    beginning = find_draft_day(month=mandate.drafts_from, calendar=calendar)
    first = max(following, beginning, key=lambda day: day.received_date)
    is_settled = business_date(moment=at) > find_last_announcing(draft_date=first.received_date)
    return forecast(
        outlook=outlook,
        days=list_days(first=first, calendar=calendar),
        first_cents_at_most=announced_cents if is_settled else None,
    )
