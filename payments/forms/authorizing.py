"""The review page: one box to tick for each payment, and the signed record of what was shown."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from payments.payables import Payable


class Asked(Protocol):
    """Something to be authorized: for which account, in which words, and what is said while its box is not ticked."""

    @property
    def payable(self) -> Payable: ...
    @property
    def authorization(self) -> str: ...
    @property
    def reminder(self) -> str: ...


def name_box(account_id: int) -> str:
    """The name of the box that authorizes the payment of an account's bill."""
    return f"authorize_{account_id}"


def is_authorized(*, typed: QueryDict, account_ids: Iterable[int]) -> bool:
    """Whether the box of every payment is ticked."""
    tick = forms.CheckboxInput().value_from_datadict
    return all(tick(typed, MultiValueDict(), name_box(key)) for key in account_ids)


class ReviewForm(forms.Form):
    """Nothing is ticked beforehand. `problem` is what has changed since the page was shown: then nothing typed counts."""

    keeps_typed = False  # what is authorized are the words that were read, in their language

    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, items: Sequence[Asked], problem: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.problem = problem
        for item in items:
            self.fields[name_box(item.payable.account_id)] = forms.BooleanField(
                label=item.authorization, error_messages={"required": item.reminder}
            )

    def full_clean(self) -> None:
        """With a problem, that is the one error of the page."""
        super().full_clean()
        if self.problem and self.is_bound:
            self._errors = forms.utils.ErrorDict()
            self.add_error(None, self.problem)
