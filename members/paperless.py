"""Without paper: what a member agrees to, word for word, for bills and for letters; and back to paper at any time, free.

The statement says what the law asks for (15 USC 7001(c)): what it covers, the right to paper, how to withdraw, what is needed.
A confirmed email address shows that the member can get and open what we send.
"""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.choices import Act, keep_choices
from members.contact import has_confirmed_email
from members.models import Choosable, Member, MemberChoice
from members.outbox import Telling, tell

TEXT_VERSION = "2026-11"
KINDS = {
    Choosable.PAPERLESS_BILLS: gettext_lazy("Bills"),
    Choosable.PAPERLESS_NOTICES: gettext_lazy("Letters about your payments and your coverage"),
}


class UnableToGoPaperless(Exception):
    """The email address has not been confirmed."""


def list_statement() -> list[str]:
    """What is agreed to, in paragraphs, whichever of the kinds are chosen."""
    return [
        _(
            "You agree that we send you what you choose by email, and not on paper. "
            "This covers all your plans with us, from now on, until you change it."
        ),
        _(
            "Some letters come on paper as well, because you must not miss them: when a payment comes back, "
            "when the start of your coverage moves, and before your coverage ends."
        ),
        _(
            "You may have paper instead. You can change back on this page or by phone, at any time. It is free."
        ),
        _("You may also ask for a paper copy of any bill or letter. Call us. It is free."),
        _(
            "You need an email address that you read, a web browser that is not too old, and a program that opens "
            "PDF files. To keep copies, you need a printer or some free space to save files."
        ),
        _("When your email address changes, change it here too."),
    ]


def write_statement(kinds: Sequence[str]) -> str:
    """The same with the kinds that were chosen, as it is kept and sent."""
    chosen = _("Without paper: %(kinds)s.") % {
        "kinds": "; ".join(str(KINDS[Choosable(kind)]) for kind in kinds)
    }
    return "\n\n".join([*list_statement(), chosen])


def choose_paperless(*, act: Act, without_paper: Sequence[str]) -> list[MemberChoice]:
    """These kinds come by email from now on, every other on paper; what changed is told by email and by letter.

    Raises UnableToGoPaperless where a kind is new and the email address is not confirmed.
    """
    with transaction.atomic():
        member = Member.objects.select_for_update(no_key=True).get(pk=act.member_pk)
        new = [kind for kind in without_paper if not getattr(member, kind)]
        if new and not has_confirmed_email(member=member):
            raise UnableToGoPaperless
        text = write_statement(without_paper) if new else ""
        agreed = keep_choices(
            act=act, values=dict.fromkeys(new, True), text=text, text_version=TEXT_VERSION if new else ""
        )
        back = keep_choices(act=act, values={kind: False for kind in KINDS if kind not in without_paper})
        _tell(act, agreed=agreed, back=back, text=text)
    return [*agreed, *back]


def _tell(act: Act, *, agreed: Sequence[MemberChoice], back: Sequence[MemberChoice], text: str) -> None:
    member = Member.objects.get(pk=act.member_pk)
    tellings = [
        Telling(event="paperless_on", subject=f"choice:{choice.pk}", member=member, facts={"text": text})
        for choice in agreed[:1]
    ]
    tellings += [
        Telling(event="paper_again", subject=f"choice:{choice.pk}", member=member) for choice in back[:1]
    ]
    tell(tellings=tellings, at=act.at, today=act.today)
