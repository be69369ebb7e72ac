"""What staff heard from the bank about a file of unknown outcome: it counts once two of them have heard the same."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from members.models import User
from members.second_person import say_why_not
from payments.ach.sending import LONGEST_WHY, UnableToResolveFile, resolve_unknown
from payments.models import BankFile, FileAnswer, FileMove, FileStatus


def answer_for_file(
    *, file_id: int, is_sent: bool, reference: str, asked: str, by: User, form_key: UUID, at: datetime
) -> bool:
    """Write down what the bank says, and whom one asked; once another has heard the same, the file is sent, or goes out again.

    Nobody is both. Of each person the latest word counts, and none from before the file was last in doubt. Returns whether the
    file is resolved now. Raises UnableToResolveFile, AlreadyHandingOver.
    """
    file = BankFile.objects.get(pk=file_id)
    if file.status != FileStatus.UNKNOWN:
        raise UnableToResolveFile(f"{file.name} is “{file.get_status_display()}”: nobody needs to ask.")
    if not (asked.strip() and reference.strip()):
        raise UnableToResolveFile("Say whom you asked, and the reference that the bank gave you.")
    if why_not := say_why_not(by=by):
        raise UnableToResolveFile(why_not)
    facts = {"is_sent": is_sent, "reference": reference.strip(), "asked": asked.strip(), "by": by, "at": at}
    answer, _ = FileAnswer.objects.get_or_create(form_key=form_key, defaults={"file": file, **facts})
    others = {item.by_id: item for item in list_answers(file=file) if item.by_id != by.pk}
    agreeing = [item for item in others.values() if item.is_sent == answer.is_sent]
    if not agreeing:
        return False
    why = f"heard by {agreeing[0].by} and {by}: {answer.asked} ({answer.reference})"
    resolve_unknown(name=file.name, sent=is_sent, why=why[:LONGEST_WHY], at=at)
    return True


def list_answers(*, file: BankFile) -> QuerySet[FileAnswer]:
    """What was said since the file was last in doubt, in order."""
    doubted = FileMove.objects.filter(file=file, after=FileStatus.UNKNOWN).order_by("-pk").first()
    said = FileAnswer.objects.filter(file=file).select_related("by").order_by("pk")
    return said.filter(at__gte=doubted.at) if doubted else said
