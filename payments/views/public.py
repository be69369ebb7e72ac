"""Pages anyone may read: the front door, how to pay, help, questions and other ways to pay."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from billing import due_dates
from billing.due_date_overrides import read_due_date
from billing.outages import read_public_words
from connector_pay.lib import clock
from members.models import Plan
from payments.statements import describe_cutoff


@require_safe
def show_front_door(request: HttpRequest) -> HttpResponseBase:
    """Two doors and the date that matters; whoever has signed in goes straight home."""
    if request.user.is_authenticated:
        return redirect("home")
    at = clock.now()
    today = clock.business_date(moment=at)
    shown = {
        "at": at,
        "pay_by": due_dates.find_pay_by(today=today, due_date=read_due_date()),
        "outage_words": read_public_words(today=today),
        "doors_on_page": True,
    }
    return render(request, "public/front_door.html", shown)


@require_safe
def show_how_to_pay(request: HttpRequest) -> HttpResponse:
    """Paying online, by phone and by mail, the dates, help, and seven questions."""
    pay_by = due_dates.find_pay_by(today=clock.today(), due_date=read_due_date())
    return render(request, "public/how_to_pay.html", {"pay_by": pay_by})


@require_safe
def show_help(request: HttpRequest) -> HttpResponse:
    """Where the Member ID is, whom to call, and where to turn when the premium is too high."""
    return render(request, "public/help.html")


@require_safe
def show_faq(request: HttpRequest) -> HttpResponse:
    """Questions and answers."""
    return render(request, "public/faq.html", {"cutoff": describe_cutoff()})


@require_safe
def show_other_ways(request: HttpRequest) -> HttpResponse:
    """Phone and mail, with the address that takes checks for each plan."""
    by_address = ("-product", "remittance_name", "remittance_address", "carrier__name", "name")
    plans = Plan.objects.select_related("carrier").order_by(*by_address)
    return render(
        request, "public/other_ways.html", {"plans": plans, "pay_by_phone": settings.EXCHANGE["pay_by_phone"]}
    )
