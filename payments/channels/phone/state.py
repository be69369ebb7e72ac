"""A call as far as it has come: the step, what was keyed in, how often wrongly, and the way back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple, Self

from django.core.serializers.json import DjangoJSONEncoder

from payments.bank_accounts import BankDetails
from payments.drafts import Contents

OVER = "over"  # the step of a call in which nothing is asked any more


class Line(NamedTuple):
    """Words to be said, in which language. No words: a while of quiet."""

    language: str
    words: str


@dataclass(frozen=True)
class CallState:
    """What a call knows. `contents` is what a guest's form would hold; the account number stands there once it was keyed in
    twice.

    `products` and `to_ask` are the bills still to be found and those whose amount is still to be asked; `suspect` an account
    number that looks like a card's; `shown` what was said before authorizing; `before` the state one step back.
    """

    step: str
    language: str = "en"
    contents: Contents = field(default_factory=Contents)
    products: tuple[str, ...] = ()
    to_ask: tuple[int, ...] = ()
    kind: str = ""
    routing_number: str = ""
    account_number: str = ""
    suspect: str = ""
    shown: tuple[Mapping[str, Any], ...] = ()
    wrong: Mapping[str, int] = field(default_factory=dict)
    silences: int = 0
    before: Self | None = None

    def go(self, step: str, **changes: Any) -> Self:
        """The same call, on to a step."""
        return replace(self, step=step, **changes)

    def fill(self, **contents: Any) -> Self:
        """The same call, with this in its contents."""
        return replace(self, contents=replace(self.contents, **contents))

    def take_bank(self, *, holder_name: str) -> BankDetails:
        """The bank account that was keyed in. One that looks like a card's is taken where its payer keyed it in once more."""
        return BankDetails(
            holder_name=holder_name,
            kind=self.kind,
            routing_number=self.routing_number,
            account_number=self.account_number,
            not_a_card=self.suspect == self.account_number,
        )

    def list_facts(self) -> dict[str, Any]:
        """As it is written: plain values all the way down."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        facts["contents"] = asdict(self.contents)
        facts["before"] = self.before.list_facts() if self.before else None
        return facts

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """As it was written."""
        known = dict(facts)
        known["contents"] = Contents.read(json.dumps(facts["contents"]).encode())
        known["before"] = cls.of(facts["before"]) if facts["before"] else None
        for name in ("products", "to_ask", "shown"):
            known[name] = tuple(facts[name])
        return cls(**known)


def write_call(*, state: CallState, said: Sequence[Line]) -> bytes:
    """A call and what it said last, as they are sealed between two webhooks."""
    return json.dumps({"state": state.list_facts(), "said": said}, cls=DjangoJSONEncoder).encode()


def read_call(clear: bytes) -> tuple[CallState, tuple[Line, ...]]:
    """A call and what it said last, as they were sealed."""
    facts = json.loads(clear)
    return CallState.of(facts["state"]), tuple(Line(*line) for line in facts["said"])
