"""Letters: the notice's own words in the member's language, on letterhead, the address where the envelope's window is."""

import re
from datetime import date

import pytest

from members.letters import UnableToWriteLetter, describe_letter, draw_letters
from members.models import Notice
from members.notices import KINDS, LANGUAGES, write
from tests.diary import eastern
from tests.members.test_notices import facts_for
from tests.people import make_member

pytestmark = pytest.mark.django_db
AT = eastern(2027, 1, 5)


def make_notice(event: str = "start_pushed", *, language: str = "en", **member) -> Notice:
    return Notice.objects.create(
        event=event,
        subject="enrollment:1:move:1",
        channel="letter",
        member=make_member(language=language, **member),
        language=language,
        facts=facts_for(event),
        at=AT,
        business_date=date(2027, 1, 5),
    )


def test_a_letter_has_the_address_the_day_the_member_id_and_the_notices_own_words() -> None:
    notice = make_notice(member_id="003456789011", street="1 Beacon Street")
    letter = describe_letter(notice=notice)
    assert letter["address"] == ["Alice Alvarez", "1 Beacon Street", "Boston, MA 02108"]
    assert letter["day"] == "January 5, 2027"
    assert letter["member_id"] == "Member ID 0034 5678 9011"
    words = write(event=notice.event, language="en", facts=notice.facts, name="Alice")
    assert letter["subject"] == words.subject
    assert "\n\n".join("\n".join(lines) for lines in letter["paragraphs"]) == words.body.strip()


def test_a_letter_speaks_its_members_language() -> None:
    notice = make_notice(language="es")
    letter = describe_letter(notice=notice)
    assert letter["day"] == "5 de enero de 2027"
    assert letter["subject"] == "Cambió la fecha de inicio de su cobertura"
    document = draw_letters(notices=[notice], at=AT)
    assert re.search(rb"/Lang\s*\(es\)", document)
    assert b"pdfuaid" in document


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_is_a_letter_of_one_page(language: str) -> None:
    notices = [make_notice(event, language=language) for event in KINDS]
    document = draw_letters(notices=notices, name="part 1", at=AT)
    assert len(re.findall(rb"/Type\s*/Page\b", document)) == len(KINDS)
    assert b"pdfuaid" in document


def test_names_and_facts_are_text_and_never_markup() -> None:
    notice = make_notice(first_name='#panic("no") *x*', last_name="$y$")
    notice.facts["plan_name"] = "= Heading #{1/0}"
    assert draw_letters(notices=[notice], at=AT).startswith(b"%PDF-")


def test_a_notice_without_a_member_is_no_letter() -> None:
    with pytest.raises(UnableToWriteLetter):
        describe_letter(notice=Notice(event="start_pushed", language="en", facts=facts_for("start_pushed")))
