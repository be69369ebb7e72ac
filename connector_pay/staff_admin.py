"""Who of the staff may sign in, with which role: for administrators, who also end sessions and reset a second step.

Beside it, for all of the staff, the table of who may do what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, cast

from allauth.account.forms import default_token_generator
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm, UsernameField
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from connector_pay import roles
from connector_pay.lib import clock
from connector_pay.roles import Role
from members import second_person, second_step, staff_sessions
from members.models import User

WHO_IT_IS = ("username", "email", "role", "is_active")  # whoever changes one of these could be both people
NOT_YOUR_OWN = "Nobody changes their own rights. Ask another administrator."
NOT_ANOTHERS = "Nobody chooses another person's password. Send them the link to choose a new password."

# Rights are the portal's to give: no groups, and no way to a member's second step or address.
for _model in (Group, EmailAddress, Authenticator):
    admin.site.unregister(_model)


def choose_role() -> forms.ChoiceField:
    """One role for each of the staff."""
    return forms.ChoiceField(
        label="Role",
        choices=Role.choices,
        initial=Role.REVIEWER,
        help_text="What each role may do stands in “Who may do what”.",
    )


class StaffCreationForm(forms.ModelForm):  # type: ignore[type-arg]  # the stubs' class cannot be subscripted at run time
    """A new member of staff: username, role, and the email address to which the link to choose a password is sent."""

    role = choose_role()

    class Meta:
        model = User
        fields = ("username", "email")
        field_classes: ClassVar = {"username": UsernameField}
        help_texts: ClassVar = {"email": "The link to choose a password is sent there."}


class StaffChangeForm(UserChangeForm):  # type: ignore[type-arg]  # as above
    """What an administrator may change of a member of staff."""

    role = choose_role()
    by: User

    class Meta(UserChangeForm.Meta):
        model = User
        fields = "__all__"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].initial = roles.find_role(user=self.instance) or Role.REVIEWER

    def clean(self) -> dict[str, Any]:
        """Nobody takes away the rights or the entry of the last administrator, because nobody changes their own."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("role", "is_active"):
            if self.instance.pk == self.by.pk and cleaned.get(name) != self.get_initial_for_field(
                self.fields[name], name
            ):
                self.add_error(name, NOT_YOUR_OWN)
        return cleaned


@admin.register(User)
class StaffAdmin(UserAdmin):  # type: ignore[type-arg]  # as above
    """Who of the staff may sign in. For administrators only; members' own sign-ins are not managed here."""

    form, add_form = StaffChangeForm, StaffCreationForm
    add_form_template = None
    change_form_template = "admin/members/user/change_form.html"
    change_list_template = "admin/members/user/change_list.html"
    list_display = ("username", "email", "first_name", "last_name", "role", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username", "email", "last_name")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "steps")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("role", "is_active")}),
        ("Signing in", {"fields": ("steps", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "email", "role")}),)

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what administrators do, and the table of rights."""
        wrap = self.admin_site.admin_view
        return [
            path("rights/", wrap(show_rights), name="members_user_rights"),
            path("<int:user_id>/end-session/", wrap(end_session), name="members_user_end_session"),
            path("<int:user_id>/send-link/", wrap(send_link), name="members_user_send_link"),
            path("<int:user_id>/reset-step/", wrap(reset_step), name="members_user_reset_step"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Staff only."""
        return super().get_queryset(request).filter(is_staff=True).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """The way to a new password beside one's own name alone."""
        found = super().get_fieldsets(request, obj)
        return (
            found
            if obj is None or obj.pk == request.user.pk
            else ((None, {"fields": ("username",)}), *found[1:])
        )

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002  (Django's address names it so)
        form_url: str = "",
    ) -> HttpResponse:
        """One's own; whoever could choose another's would be both people."""
        if self.has_module_permission(request) and id != str(request.user.pk):
            return render(request, "403.html", {"instead": NOT_ANOTHERS}, status=403)
        answer = super().user_change_password(request, id, form_url)
        note_own_password(request, answer)
        return answer

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form knows who fills it in."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"by": request.user})

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        """Whoever is added here is staff, with one role, and chooses the password behind the link that is sent."""
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        if "role" in form.cleaned_data:
            roles.give_role(user=obj, role=Role(form.cleaned_data["role"]))
        changed = [name for name in WHO_IT_IS if name in form.changed_data]
        if changed or not change:
            _note_change(request, obj, what=changed if change else ["a new account"])
        if not change:
            _send_link(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Groups are the role's, and nothing of the form's."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Administrators."""
        return bool(getattr(request.user, "is_superuser", False))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Administrators."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Administrators."""
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Administrators."""
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: what a person did stays theirs; take away "active" instead."""
        return False

    @admin.display(description="role")
    def role(self, user: User) -> str:
        """By its name."""
        role = roles.find_role(user=user)
        return role.value if role else "none yet"

    @admin.display(description="second step")
    def steps(self, user: User) -> str:
        """Which second steps the person has set up."""
        found = Authenticator.objects.filter(user=user, type__in=second_step.STEPS)
        kinds = {Authenticator.Type.TOTP: "authenticator app", Authenticator.Type.WEBAUTHN: "passkey"}
        return ", ".join(kinds[one.type] for one in found) or "none yet: set up at the next sign-in"


@require_safe
@never_cache
def show_rights(request: HttpRequest) -> HttpResponse:
    """Who may do what, as the portal itself asks it."""
    shown = {
        **admin.site.each_context(request),
        "title": "Who may do what",
        "roles": [role.label.partition(":") for role in Role],
        "rights": roles.list_rights(),
    }
    return render(request, "admin/members/user/rights.html", shown)


@require_POST
def end_session(request: HttpRequest, user_id: int) -> HttpResponse:
    """Sign a member of staff out, wherever they are signed in."""
    said = "{} is signed out everywhere."
    return _act(request, user_id, lambda user: staff_sessions.end(user=user), said=said)


@require_POST
def send_link(request: HttpRequest, user_id: int) -> HttpResponse:
    """Send a member of staff the link to choose a new password."""
    said = "{} is sent the link to choose a new password."
    return _act(request, user_id, lambda user: _send_link(request, user), said=said)


@require_POST
def reset_step(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take away a second step that is lost, and sign its owner out; they set up a new one at the next sign-in."""

    def act(user: User) -> None:
        second_step.reset(user=user)
        staff_sessions.end(user=user)
        _note_change(request, user, what=["second step"])

    said = "{} sets up a new second step at the next sign-in."
    return _act(request, user_id, act, said=said)


def note_own_password(request: HttpRequest, answer: HttpResponse) -> None:
    """Where the answer to a form says that one's own password was changed, it is told."""
    if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
        _note_change(request, cast(User, request.user), what=["password"])


def _note_change(request: HttpRequest, user: User, *, what: Sequence[str]) -> None:
    by = cast(User, request.user)
    second_person.note_change(user=user, what=what, by=by, today=clock.today(), at=clock.now())


def _send_link(request: HttpRequest, user: User) -> None:
    request_password_reset(request, user.email, [user], default_token_generator)


def _act(request: HttpRequest, user_id: int, act: Callable[[User], object], *, said: str) -> HttpResponse:
    if not getattr(request.user, "is_superuser", False):
        raise PermissionDenied("Only administrators may do this.")
    user = get_object_or_404(User, pk=user_id, is_staff=True)
    if user.pk == request.user.pk:
        messages.error(request, "Nobody does this for themselves. Ask another administrator.")
    else:
        act(user)
        model_admin = admin.site.get_model_admin(User)
        model_admin.log_change(request, user, said.format(user))
        messages.success(request, said.format(user))
    return redirect("admin:members_user_change", user.pk)
