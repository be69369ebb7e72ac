"""A notice sent again by staff: its words as they were, by email or by letter."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connector_pay.lib import clock
from connector_pay.lib.staff_pages import Done, Page, WhyForm, require, show_act
from connector_pay.lib.templatetags.exchange import eastern
from members.models import Channel, Notice, User
from members.notices import write
from members.resending import UnableToResend, resend_notice

MAY_RESEND = "members.resend_notice"


class ResendForm(WhyForm):
    """By which way."""

    channel = forms.ChoiceField(label="Send it by", choices=Channel.choices, widget=forms.RadioSelect)
    field_order = ("channel", "why")


@require_http_methods(["GET", "POST"])
@never_cache
def resend(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Send a notice again."""
    require(request, MAY_RESEND)
    notice = get_object_or_404(Notice.objects.select_related("member"), pk=notice_id)

    def act(typed: Mapping[str, Any]) -> Done:
        by = cast("User", request.user)
        copy = resend_notice(notice_id=notice_id, by=by, today=clock.today(), at=clock.now(), **typed)
        return Done("It goes out with the next emails, or with the next print batch.", copy.copy)

    name = notice.member.first_name if notice.member else ""
    words = write(event=notice.event, language=notice.language, facts=notice.facts, name=name)
    page = Page(
        title="Send this notice again",
        button="Send it again",
        back=notice,
        facts=[
            ("Notice", words.subject),
            ("To", str(notice.member or notice.address)),
            ("Went by", notice.get_channel_display()),
            ("Sent", eastern(notice.sent_at) if notice.sent_at else "not yet"),
        ],
        words=[
            "The same words go out once more, as they were true then. No money and no date changes.",
        ],
    )
    return show_act(
        request,
        page,
        act=act,
        refusals=(UnableToResend,),
        form_class=ResendForm,
        initial={"channel": notice.channel},
    )
