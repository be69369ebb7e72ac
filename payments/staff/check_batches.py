"""Check batches on the staff's side: a deposit slip, the checks typed in one after another, and all recorded at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from billing.what_if import try_out
from connector_pay.lib import clock
from connector_pay.lib.money import format_dollars
from connector_pay.lib.read_only_admin import ReadOnlyAdmin, show_dollars
from connector_pay.lib.staff_pages import (
    Deed,
    Done,
    Effect,
    Page,
    WhyForm,
    find_address,
    press,
    render_page,
    require,
    show_act,
)
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User
from payments import check_batches
from payments.alike_checks import Look
from payments.banking_calendar import read_calendar
from payments.check_batches import NewLine, Slip, Totals, UnableToBatch
from payments.checks import Share
from payments.models import BatchLine, CheckBatch, CheckStatus, ReceivedCheck
from payments.staff.check_forms import CloseForm, PaperForm, SlipForm, list_parts
from payments.staff.check_waiting import explain_waiting
from payments.staff.checks import MAY_RECORD

REFUSALS = (UnableToBatch,)
TEMPLATE = "admin/payments/checkbatch/batch.html"


class OpenFilter(admin.SimpleListFilter):
    """The batches that are not done."""

    title = "open batches"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("yes", "Not closed yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CheckBatch]) -> QuerySet[CheckBatch]:
        """Those, or all."""
        return queryset.filter(closed_at=None, dropped_at=None) if self.value() == "yes" else queryset


@admin.register(CheckBatch)
class CheckBatchAdmin(ReadOnlyAdmin):
    """Checks typed in against a deposit slip."""

    change_list_template = "admin/payments/checkbatch/change_list.html"
    list_display = ("id", "state", "slip", "slip_count", "typed", "deposit_on", "made_by", "made_at")
    list_filter = (OpenFilter, "source")
    list_select_related = ("made_by",)
    search_paths = {"text": "lines__number", "title": "lines__payer", "number": "pk"}
    search_help_text = "The batch’s number, a check’s number, or who wrote it"
    slip = show_dollars("slip_cents", "total of the slip")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CheckBatch]:
        """With what was typed in."""
        counted = (
            super()
            .get_queryset(request)
            .annotate(typed_count=Count("lines"), typed_cents=Sum("lines__cents", default=0))
        )
        return cast("QuerySet[CheckBatch]", counted)

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what staff do."""
        wrap = self.admin_site.admin_view
        name = "payments_checkbatch"
        return [
            path("begin/", wrap(begin), name=f"{name}_begin"),
            path("<int:batch_id>/slip/", wrap(mend_slip), name=f"{name}_slip"),
            path("<int:batch_id>/checks/<int:line_id>/", wrap(mend), name=f"{name}_mend"),
            path("<int:batch_id>/checks/<int:line_id>/remove/", wrap(remove), name=f"{name}_remove"),
            path("<int:batch_id>/close/", wrap(close), name=f"{name}_close"),
            path("<int:batch_id>/drop/", wrap(drop), name=f"{name}_drop"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The batch, and the boxes for the next check."""
        if not object_id.isdigit():
            raise Http404
        return show(request, int(object_id))

    @admin.display(description="typed in")
    def typed(self, batch: Any) -> str:
        """How many, for how much."""
        return f"{batch.typed_count} for {format_dollars(batch.typed_cents)}"


@dataclass(frozen=True)
class BatchPage(Page):
    """A page with the batch on it: how far it has come, its checks, and what this person may do."""

    batch: CheckBatch | None = None
    totals: Totals | None = None
    lines: tuple[tuple[BatchLine, ReceivedCheck | None], ...] = ()
    deeds: tuple[Deed, ...] = ()
    may_type: bool = False


@require_http_methods(["GET", "POST"])
@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """Begin a batch with what the deposit slip says."""
    require(request, MAY_RECORD)

    def act(typed: Mapping[str, Any]) -> Done:
        by = cast("User", request.user)
        batch = check_batches.open_batch(
            slip=_read_slip(typed), form_key=typed["form_key"], by=by, at=clock.now()
        )
        return Done("Begun. Type in the checks, one after another.", batch)

    words = [
        "Nothing is recorded until the checks that you type in equal the slip and the batch is closed.",
        "The batch is kept if you sign out. Another person may go on with it.",
    ]
    page = Page(title="Begin a batch of checks", button="Begin", back=CheckBatch, words=words)
    deposit = read_calendar().roll_forward(clock.today())
    first = {"deposit_on": deposit, "source": "mail"}
    return show_act(request, page, act=act, refusals=REFUSALS, form_class=SlipForm, initial=first)


@require_http_methods(["GET", "POST"])
@never_cache
def show(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The batch against its slip; whoever may record adds the next check."""
    batch = get_object_or_404(CheckBatch, pk=batch_id)
    page = _make_page(request, batch)
    if request.method == "POST":
        require(request, MAY_RECORD)
    if not page.may_type:
        return render_page(request, TEMPLATE, title=page.title, back=CheckBatch, page=page)
    latest = page.lines[-1][0] if page.lines else None
    first = {"kind": "check", "received_on": latest.received_on if latest else clock.today()}
    return _show_paper(request, page, initial=first, beside=[line for line, _check in page.lines])


@require_http_methods(["GET", "POST"])
@never_cache
def mend(request: HttpRequest, batch_id: int, line_id: int) -> HttpResponse:
    """Mend a check that was typed in."""
    require(request, MAY_RECORD)
    batch = get_object_or_404(CheckBatch, pk=batch_id)
    line = get_object_or_404(BatchLine, pk=line_id, batch=batch)
    page = Page(title=f"Edit {line}", button="Save this check", back=batch)
    first = {name: getattr(line, name) for name in ("kind", "number", "payer", "received_on", "is_another")}
    shares = [Share(share.account_id, share.cents) for share in line.shares.order_by("pk")]
    return _show_paper(
        request,
        page,
        initial=first | {"amount": line.cents} | list_parts(shares),
        beside=list(batch.lines.exclude(pk=line.pk)),
        line=line,
    )


@require_POST
def remove(request: HttpRequest, batch_id: int, line_id: int) -> HttpResponse:
    """Take a check out."""
    require(request, MAY_RECORD)
    batch = get_object_or_404(CheckBatch, pk=batch_id)
    press(
        request,
        act=lambda: check_batches.remove_line(batch_id=batch.pk, line_id=line_id),
        refusals=REFUSALS,
        said="Removed. It was not recorded.",
    )
    return redirect(find_address(batch))


@require_http_methods(["GET", "POST"])
@never_cache
def mend_slip(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Mend what was typed from the slip."""
    require(request, MAY_RECORD)
    batch = get_object_or_404(CheckBatch, pk=batch_id)

    def act(typed: Mapping[str, Any]) -> str:
        check_batches.change_slip(batch_id=batch.pk, slip=_read_slip(typed))
        return "Saved."

    page = Page(title="Edit the slip", button="Save the slip", back=batch)
    first = {name: getattr(batch, name) for name in ("slip_cents", "slip_count", "deposit_on", "source")}
    return show_act(request, page, act=act, refusals=REFUSALS, form_class=SlipForm, initial=first)


@require_http_methods(["GET", "POST"])
@never_cache
def close(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Record every check of the batch, once what each does has been seen."""
    require(request, MAY_RECORD)
    batch = get_object_or_404(CheckBatch, pk=batch_id)

    def act(version: int) -> list[ReceivedCheck]:
        by, today, at = cast("User", request.user), clock.today(), clock.now()
        return check_batches.close_batch(batch_id=batch.pk, version=version, by=by, today=today, at=at)

    if request.method == "POST" and request.POST.get("version") != str(batch.version) and batch.is_open:
        messages.error(request, "This batch was changed meanwhile. Look at it again.")
        return redirect("admin:payments_checkbatch_close", batch.pk)

    def record(typed: Mapping[str, Any]) -> str:
        checks = act(typed["version"])
        waiting = sum(check.status == CheckStatus.UNMATCHED for check in checks)
        return f"Closed. Checks on accounts: {len(checks) - waiting}. Waiting as unmatched money: {waiting}."

    page = Page(
        title="Close this batch",
        button="Record all of these checks",
        back=batch,
        facts=_list_facts(batch, check_batches.read_totals(batch=batch)),
        words=["Each counts as of the day it was received. All are recorded, or none; the members are told."],
    )
    return show_act(
        request,
        page,
        act=record,
        refusals=REFUSALS,
        preview=lambda _typed: _preview(batch, lambda: act(batch.version)),
        form_class=CloseForm,
        initial={"version": batch.version},
    )


@require_http_methods(["GET", "POST"])
@never_cache
def drop(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Give the batch up."""
    require(request, MAY_RECORD)
    batch = get_object_or_404(CheckBatch, pk=batch_id)

    def act(typed: Mapping[str, Any]) -> str:
        by = cast("User", request.user)
        check_batches.drop_batch(batch_id=batch.pk, by=by, why=typed["why"], at=clock.now())
        return "Dropped. None of its checks was recorded."

    words = ["None of its checks is recorded. What was typed in stays to be read."]
    page = Page(title="Drop this batch", button="Drop this batch", back=batch, words=words)
    return show_act(request, page, act=act, refusals=REFUSALS, form_class=WhyForm)


def _show_paper(
    request: HttpRequest,
    page: Page,
    *,
    initial: dict[str, Any],
    beside: list[BatchLine],
    line: BatchLine | None = None,
) -> HttpResponse:
    """The boxes of one check, new or typed in before."""
    batch = cast("CheckBatch", page.back)

    def act(typed: Mapping[str, Any]) -> str:
        put = check_batches.put_line(
            batch_id=batch.pk,
            line=_read_line(typed),
            by=cast("User", request.user),
            today=clock.today(),
            at=clock.now(),
            line_id=line.pk if line else None,
        )
        return f"{put}: {'saved' if line else 'added'}. {_say_totals(check_batches.read_totals(batch=batch))}"

    return show_act(
        request,
        page,
        act=act,
        refusals=REFUSALS,
        form_class=PaperForm,
        initial=initial,
        today=clock.today(),
        beside=[Look(other.number, other.payer, other.cents, other.form_key) for other in beside],
        key=line.form_key if line else None,
    )


def _make_page(request: HttpRequest, batch: CheckBatch) -> BatchPage:
    lines = check_batches.list_lines(batch=batch)
    checks = {check.form_key: check for check in check_batches.list_checks(batch=batch)}
    totals = check_batches.read_totals(batch=batch)
    may_type = batch.is_open and request.user.has_perm(MAY_RECORD)
    return BatchPage(
        title=f"Batch {batch.pk} of checks",
        button="Add this check",
        back=batch,
        facts=_list_facts(batch, totals),
        template=TEMPLATE,
        batch=batch,
        totals=totals,
        lines=tuple((line, checks.get(line.form_key)) for line in lines),
        deeds=tuple(_list_deeds(batch, totals)) if may_type else (),
        may_type=may_type,
    )


def _list_deeds(batch: CheckBatch, totals: Totals) -> list[Deed]:
    names = [("Edit the slip", "slip"), ("Drop this batch", "drop")]
    if totals.is_equal:
        names = [("Close this batch", "close"), *names]
    return [
        Deed(words, reverse(f"admin:payments_checkbatch_{name}", args=[batch.pk])) for words, name in names
    ]


def _list_facts(batch: CheckBatch, totals: Totals) -> list[tuple[str, str]]:
    facts = [
        ("State", batch.state),
        ("The slip", f"{batch.slip_count} for {format_dollars(batch.slip_cents)}"),
        ("Typed in", f"{totals.count} for {format_dollars(totals.cents)}"),
        ("Left", _say_left(totals)),
        ("Deposited", long_date(batch.deposit_on)),
        ("How they came", batch.get_source_display()),
        ("Begun by", batch.made_by.get_username()),
    ]
    if batch.closed_by:
        facts.append(("Closed by", batch.closed_by.get_username()))
    if batch.dropped_by:
        facts.append(("Dropped by", f"{batch.dropped_by.get_username()}: {batch.drop_reason}"))
    return facts


def _say_left(totals: Totals) -> str:
    if totals.is_equal:
        return "Nothing: it equals the slip"
    count, cents = totals.left_count, totals.left_cents
    checks = f"{abs(count)} too many" if count < 0 else str(count)
    money = f"{format_dollars(-cents)} too much" if cents < 0 else format_dollars(cents)
    return f"{checks} for {money}"


def _say_totals(totals: Totals) -> str:
    return f"{totals.count} for {format_dollars(totals.cents)} so far. Left: {_say_left(totals).lower()}."


def _preview(batch: CheckBatch, act: Callable[[], object]) -> Effect:
    """What becomes of each check, then how each account would stand: done and taken back."""
    lines = check_batches.list_lines(batch=batch)
    accounts = {share.account_id for line in lines for share in line.shares.all()}
    try:
        tried = try_out(account_ids=accounts, today=clock.today(), act=act)
    except REFUSALS as refusal:
        return Effect(refusal=str(refusal))
    checks = cast("list[ReceivedCheck]", tried.answer)
    outcomes = [
        (f"{line} of {line.payer}", "Not recorded", _say_outcome(line, check))
        for line, check in zip(lines, checks, strict=True)
    ]
    return Effect(tables=[("What becomes of each check", outcomes), *tried.list_tables()])


def _say_outcome(line: BatchLine, check: ReceivedCheck) -> str:
    names = [
        f"{share.account.enrollment.plan.name} of {share.account.enrollment.member.full_name}, {format_dollars(share.cents)}"
        for share in line.shares.all()
    ]
    if check.status != CheckStatus.UNMATCHED:
        return f"Counts: {'; '.join(names)}"
    return f"Waits. {explain_waiting(check)}" if names else "Waits: it names no account"


def _read_slip(typed: Mapping[str, Any]) -> Slip:
    return Slip(typed["slip_cents"], typed["slip_count"], typed["deposit_on"], typed["source"])


def _read_line(typed: Mapping[str, Any]) -> NewLine:
    names = ("kind", "number", "payer", "received_on", "form_key", "shares", "is_another")
    return NewLine(cents=typed["amount"], **{name: typed[name] for name in names})
