"""What staff do with one account: adjust a month, waive months, give more time; each with what it does and a reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import corrections
from billing.corrections import UnableToCorrect
from billing.models import Account, CorrectionStatus
from billing.policy import read_policy
from billing.staff.correction_forms import AdjustForm, DueDateForm, MonthForm, WaiveForm, list_months
from billing.staff.previews import preview_correction
from connector_pay.lib import clock
from connector_pay.lib.money import format_dollars
from connector_pay.lib.staff_pages import Deed, Done, Effect, Page, require, show_act
from connector_pay.lib.templatetags.exchange import long_date, member_id
from members.models import User

TWO_PEOPLE = "Above {limit} that you adjust and waive alone in {days} days, another person must approve it."


@dataclass(frozen=True)
class Task:
    """One thing that may be done with an account: who may, the words of its page, and its form."""

    name: str
    permission: str
    title: str
    button: str
    form: type[AdjustForm | WaiveForm | DueDateForm]
    words: tuple[str, ...]


TASKS = {
    task.name: task
    for task in (
        Task(
            "adjust",
            "billing.adjust_account",
            "Adjust a month",
            "Adjust this month",
            AdjustForm,
            (
                "Less is given back at once: what was paid too much is credit.",
                "More goes on the next bill. It never makes a paid month unpaid.",
                TWO_PEOPLE,
            ),
        ),
        Task(
            "waive",
            "billing.waive_premium",
            "Waive premiums in hardship",
            "Waive these premiums",
            WaiveForm,
            (
                "The months are billed anew for less. What was paid too much is credit.",
                "A first bill that comes to nothing starts coverage without a payment.",
                TWO_PEOPLE,
                "Asked for before a due date that has passed, another person must approve it, whatever it comes to.",
            ),
        ),
        Task(
            "due_date",
            "billing.move_due_date",
            "Give this account more time to pay",
            "Give more time",
            DueDateForm,
            (
                "The due date of one month moves to a later day, for this account alone.",
                "A start of coverage that was pushed, with its first payment received by the new day, is given back at once. "
                "A start in a month that has begun waits for your decision.",
                "If the account is behind, that is looked at again tonight.",
                "After the due date, or once it was moved for this account, another person must approve it.",
            ),
        ),
    )
}


def list_urls(*, wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of what staff do with an account."""
    return [
        path(f"<int:account_id>/{name}/", wrap(show_task), {"name": name}, name=f"billing_account_{name}")
        for name in TASKS
    ]


def list_deeds(account: Account, *, request: HttpRequest) -> list[Deed]:
    """What this person may do with the account."""
    return [
        Deed(task.title, reverse(f"admin:billing_account_{name}", args=[account.pk]))
        for name, task in TASKS.items()
        if request.user.has_perm(task.permission)
    ]


@require_http_methods(["GET", "POST"])
@never_cache
def show_task(request: HttpRequest, account_id: int, name: str) -> HttpResponse:
    """The page of one task: what is asked for, what it does, and the button."""
    task = TASKS[name]
    require(request, task.permission)
    people = ("enrollment__member", "enrollment__plan")
    account = get_object_or_404(Account.objects.select_related(*people), pk=account_id)
    by, today, at = cast("User", request.user), clock.today(), clock.now()

    def act(typed: Mapping[str, Any]) -> Done:
        new, why, key = task.form.read(typed, account_id=account_id), typed["why"], typed["form_key"]
        asked = corrections.ask(new=new, why=why, form_key=key, by=by, today=today, at=at)
        if asked.status == CorrectionStatus.ASKED:
            return Done("Asked for. Another person must approve it.", asked)
        return Done("Done.", account)

    def preview(typed: Mapping[str, Any]) -> Effect:
        new = task.form.read(typed, account_id=account_id)
        return preview_correction(new=new, by=by, today=today, at=at)

    page = Page(
        title=task.title,
        button=task.button,
        back=account,
        facts=list_facts(account),
        words=[_fill(words) for words in task.words],
    )
    form: type[MonthForm] = task.form
    return show_act(
        request,
        page,
        act=act,
        refusals=(UnableToCorrect,),
        preview=preview,
        form_class=form,
        needs_preview=True,
        months=list_months(account=account, today=today),
        initial={"asked_on": today},
    )


def list_facts(account: Account) -> list[tuple[str, str]]:
    """What a page says of the account."""
    enrollment = account.enrollment
    return [
        ("Member", enrollment.member.full_name),
        ("Member ID", member_id(enrollment.member.member_id)),
        ("Plan", enrollment.plan.name),
        ("Coverage starts", long_date(enrollment.coverage_start)),
    ]


def _fill(words: str) -> str:
    policy = read_policy()
    limit = format_dollars(policy.alone_limit_cents)
    return words.format(limit=limit, days=policy.alone_limit_days)
