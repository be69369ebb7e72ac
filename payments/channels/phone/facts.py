"""What a call asks of the portal: the bill, what is due, what paying does; and the payment itself."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from uuid import UUID

from billing.balances import Standing
from members.models import Member
from payments.channels import guest
from payments.channels.guest import FoundBill, UnableToFindBill, UnableToLookUpPhone, read_identifier
from payments.channels.phone.authorization import VERSION, write_authorization
from payments.channels.phone.state import CallState
from payments.channels.phone.words import say
from payments.models import Payment, PaymentChannel
from payments.payables import (
    Payable,
    find_same,
    list_payables,
    list_questions,
    make_payables,
    read_in_progress,
)
from payments.recording import Payer, PaymentItem, UnableToRecord, find_recorded, record_as_told
from payments.review import ReviewItem, describe_change, prepare_items


class UnableToKeepWord(UnableToRecord):
    """What the caller was told is no longer so; the text says what has changed. Nothing was recorded."""


@dataclass
class Facts:
    """How things stand at the moment of one webhook of a call. `caller` is whom the limits on look-ups count.

    A look-up takes its time and is counted: it is made before the call is locked, and then remembered.
    """

    call_id: str
    form_key: UUID
    caller: str
    at: datetime
    today: date
    found: FoundBill | UnableToFindBill | UnableToLookUpPhone | None = field(default=None, init=False)

    @property
    def session_digest(self) -> str:
        """What tells the payments of this call from all others."""
        return hashlib.sha256(f"call {self.call_id}".encode()).hexdigest()

    def look_up(self, *, identifier: str, date_of_birth: date | None) -> None:
        """Look for the bill, once; `find_bill` says what was found."""
        try:
            self.found = guest.find_bill(
                identifier=identifier,
                date_of_birth=date_of_birth,
                address=self.caller,
                today=self.today,
                at=self.at,
            )
        except (UnableToFindBill, UnableToLookUpPhone) as miss:
            self.found = miss

    def find_bill(self) -> FoundBill:
        """What was looked up. Raises UnableToFindBill, UnableToLookUpPhone."""
        if isinstance(self.found, FoundBill):
            return self.found
        raise self.found or UnableToFindBill

    def slow_down(self, *, identifier: str, products: Sequence[str]) -> None:
        """A caller who is told nothing tries these products: counted like look-ups."""
        for product in products:
            guest.slow_down(identifier=identifier, product=product, address=self.caller, at=self.at)

    def list_payables(self, state: CallState) -> dict[int, Payable]:
        """The bills of this call, by account, health first."""
        payables = list_payables(account_ids=state.contents.account_ids, today=self.today)
        return {payable.account_id: payable for payable in payables}

    def list_questions(self, state: CallState) -> list[str]:
        """What to ask once more about the amounts, in the language that is being spoken."""
        chosen = state.contents.chosen
        return list_questions(
            chosen=chosen,
            payables=self.list_payables(state),
            shows_account=state.contents.shows_account,
            received_date=self.today,
            in_progress=read_in_progress(account_ids=[item.account_id for item in chosen]),
            session_digest=self.session_digest,
        )

    def name_payer(self, state: CallState) -> str:
        """Who authorizes, as a call may say it: the name where it may be shown, else the number that was keyed in."""
        if state.contents.person:
            return state.contents.person
        typed = read_identifier(state.contents.identifier)
        key = "by_member_id" if typed.member_id else "by_phone"
        return say(key, language=state.language, number=typed.written).words

    def review(self, state: CallState) -> list[ReviewItem] | None:
        """The payments as things stand; None where one of the bills can no longer be paid."""
        account_ids = [item.account_id for item in state.contents.chosen]
        in_progress = read_in_progress(account_ids=account_ids)
        return self._prepare(state, payables=self.list_payables(state), in_progress=in_progress)

    def pay(self, state: CallState) -> list[Payment]:
        """Record the payments, if every word still holds; once a call, whatever is sent twice.

        Raises UnableToKeepWord, UnableToRecord, UnableToUseBankAccount.
        """
        name = read_full_name(account_ids=state.contents.account_ids)
        payer = Payer(
            channel=PaymentChannel.PHONE,
            user=None,
            name=name,
            session_digest=self.session_digest,
            language=state.language,
        )
        return record_as_told(
            payer=payer,
            bank=state.take_bank(holder_name=name),
            account_ids=[item.account_id for item in state.contents.chosen],
            beside=state.contents.account_ids,
            prepare=partial(self._prepare_locked, state),
            form_key=self.form_key,
            today=self.today,
            at=self.at,
        )

    def find_recorded(self) -> list[Payment]:
        """The payments that this call has made."""
        return find_recorded(form_key=self.form_key)

    def _prepare_locked(
        self, state: CallState, standings: Mapping[int, Standing], in_progress: Sequence[Payment]
    ) -> list[PaymentItem]:
        """The payments under the lock. Raises UnableToKeepWord, UnableToRecord."""
        payables = {payable.account_id: payable for payable in make_payables(standings=standings)}
        items = self._prepare(state, payables=payables, in_progress=in_progress)
        if items is None:
            raise UnableToRecord
        change = describe_change(shown=state.shown, items=items, today=self.today)
        if change:
            raise UnableToKeepWord(change)
        return [
            PaymentItem(
                account_id=item.payable.account_id,
                amount_cents=item.amount_cents,
                received_date=item.received_date,
                coverage_sentence=item.sentence,
                authorization_text=item.authorization,
                due_was_shown=state.contents.shows_account,
                text_version=VERSION,
            )
            for item in items
        ]

    def _prepare(
        self, state: CallState, *, payables: Mapping[int, Payable], in_progress: Sequence[Payment]
    ) -> list[ReviewItem] | None:
        contents = state.contents
        if any(item.account_id not in payables for item in contents.chosen):
            return None

        def write(payable: Payable, cents: int, day: date, last_four: str, language: str) -> str:
            return write_authorization(
                payable=payable,
                amount_cents=cents,
                today=day,
                kind=state.kind,
                last_four=last_four,
                payer=self.name_payer(state),
                language=language,
            )

        return prepare_items(
            contents=contents,
            payables=payables,
            bank=state.take_bank(holder_name=""),
            same=find_same(
                chosen=contents.chosen,
                received_date=self.today,
                in_progress=in_progress,
                session_digest=None if contents.shows_account else self.session_digest,
            ),
            today=self.today,
            language=state.language,
            whose="the",
            write_authorization=write,
        )


def read_full_name(*, account_ids: Sequence[int]) -> str:
    """The member's name as a bank file has it: whoever pays by phone pays from an account in that name."""
    return Member.objects.filter(enrollments__account__in=account_ids).distinct().get().full_name
