"""Asking once more: a form that takes an unusual answer when its payer says yes to it."""

import hashlib
from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext as _

SURE = "sure"


class AskingForm(forms.Form):
    """A form that can come back with questions beside a box to tick."""

    def ask_again(self, questions: Sequence[str]) -> bool:
        """Put the questions beside the box, unless it is ticked for these very questions; True while they stand open."""
        answer = hashlib.sha256("".join(questions).encode()).hexdigest()[:16]
        if not questions or self.data.get(SURE) == answer:
            return False
        self.fields[SURE] = forms.BooleanField(
            label=_("Yes, I want to pay this"),
            help_text=_("Tick the box to go on, or change what you typed."),
            required=False,
            widget=forms.CheckboxInput(attrs={"value": answer}),
        )
        self.data = {name: value for name, value in self.data.items() if name != SURE}
        for question in questions:
            self.add_error(SURE, question)
        return True
