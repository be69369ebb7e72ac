"""Review pages for staff: everything can be found and read, nothing added, changed or removed.

Lists never count millions of rows, and search reads what people have before them: a Member ID or phone
number with spaces, a confirmation number with its hyphen, a trace number, an invoice number, a name, an
email address.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connector_pay.lib.money import format_dollars

COUNTED_AT_MOST = 10_000
NUMBER = re.compile(r"\+?[\d\s().-]+")
LARGEST_ID = 2**63 - 1
MEMBER_ID_DIGITS, PHONE_DIGITS, TRACE_DIGITS, CONFIRMATION_LENGTH = 12, 10, 15, 10


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # the stubs' class cannot be subscripted at run time
    """Pages of the first 10,000 rows: enough to browse, and quick however many there are."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, as far as we care to count."""
        rows = self.object_list
        return rows.order_by()[:COUNTED_AT_MOST].count() if isinstance(rows, QuerySet) else len(rows)


class StaffMayRead:
    """Whoever may enter the staff's side may read, unless `read_permission` says who; nobody may write."""

    read_permission: ClassVar[str] = ""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Every member of staff, or those of them who have the permission."""
        is_staff = request.user.is_active and bool(getattr(request.user, "is_staff", False))
        return is_staff and (not self.read_permission or request.user.has_perm(self.read_permission))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may read."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: rows come from the exchange, the payer or the bank."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: what happened stays as it happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False


class ReadOnlyAdmin(StaffMayRead, admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """Review of one model. `search_paths` says under which lookups each kind of search term is found."""

    actions = None
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    search_paths: ClassVar[Mapping[str, str]] = {}

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """The search box is there where anything can be found."""
        return tuple(self.search_paths.values())

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """All that is shown, columns and links alike."""
        return self.fields or ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """The rows that the term names."""
        if not search_term.strip():
            return queryset, False
        meant = read_search_term(search_term, paths=self.search_paths)
        if len(meant) == 1:
            return queryset.filter(meant[0]), False
        # Each meaning is asked for by itself, from its own index: one condition over many tables would read them all.
        rows = [self.model._default_manager.filter(one).order_by().values("pk") for one in meant]
        return queryset.filter(pk__in=rows[0].union(*rows[1:]) if rows else []), False


class ReadOnlyInline(StaffMayRead, admin.TabularInline):  # type: ignore[type-arg]  # as above
    """The rows that belong to the one shown."""

    template = "admin/read_only_inline.html"
    extra = 0
    can_delete = False
    ordering: ClassVar[tuple[str, ...]] = ("pk",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """All that is shown."""
        return self.fields or ()


def read_search_term(term: str, *, paths: Mapping[str, str]) -> list[Q]:
    """What a search term may mean, among the kinds that `paths` knows; nothing where it can name none of them."""
    typed = term.strip()
    is_number = NUMBER.fullmatch(typed) is not None
    found = _read_number(re.sub(r"\D", "", typed)) if is_number else _read_words(typed)
    meant = [Q(**{f"{paths[kind]}{lookup}": value}) for kind, lookup, value in found if kind in paths]
    meant += _read_confirmation(typed, paths)
    return meant if is_number else meant + _read_name(typed, paths)


def _read_number(digits: str) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = [("last_four", "", digits), ("trace", "", digits)]
    if len(digits) <= MEMBER_ID_DIGITS:
        found.append(("member_id", "" if len(digits) == MEMBER_ID_DIGITS else "__startswith", digits))
    if len(digits) in (PHONE_DIGITS, PHONE_DIGITS + 1):
        found.append(("phone", "", f"+1{digits[-PHONE_DIGITS:]}"))
    if digits and len(digits) <= len(str(LARGEST_ID)) and int(digits) <= LARGEST_ID:
        found.append(("number", "", int(digits)))
    return found


def _read_words(typed: str) -> list[tuple[str, str, Any]]:
    return [("email", "__iexact", typed), ("text", "__startswith", typed), ("title", "__icontains", typed)]


def _read_confirmation(typed: str, paths: Mapping[str, str]) -> list[Q]:
    compact = re.sub(r"[\s-]", "", typed).upper()
    if "confirmation" not in paths or len(compact) != CONFIRMATION_LENGTH:
        return []
    return [Q(**{paths["confirmation"]: compact})]


def _read_name(typed: str, paths: Mapping[str, str]) -> list[Q]:
    """Every word begins the first or the last name; `paths["name"]` leads to the person."""
    if "name" not in paths:
        return []
    person = paths["name"].removesuffix("last_name")
    meant = Q()
    for word in typed.split():
        meant &= Q(**{f"{person}last_name__istartswith": word}) | Q(
            **{f"{person}first_name__istartswith": word}
        )
    return [meant]


def show_dollars(field: str, label: str) -> Callable[[Any, Any], str]:
    """A column of cents as dollars, by the name of its field."""

    @admin.display(description=label, ordering=field)
    def show(_admin: Any, row: Any) -> str:
        return format_dollars(getattr(row, field))

    return show


def link_to(row: Model | None) -> SafeString | str:
    """A link to the review of one row, "-" where there is none."""
    if row is None:
        return "-"
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, row)


def link_to_list(model: type[Model], words: str, **lookups: Any) -> SafeString:
    """A link to the list of a model's rows, narrowed by lookups on its own columns."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(lookups), words)
