"""Each action of the staff in a browser: the right person does it, the wrong one sees no button and is refused at its address."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page, expect

from connector_pay.lib.staff_pages import find_address
from connector_pay.roles import Role
from members.models import User
from tests import people
from tests.browser.billing_actions import BILLING
from tests.browser.check_actions import CHECKS
from tests.browser.member_actions import STAFF
from tests.browser.office import Office
from tests.browser.payment_actions import PAYMENTS
from tests.browser.staff_actions import Action, Case, Typed
from tests.portal import Portal
from tests.staff.addresses import LOOKING_IS_ALL, list_staff_addresses

ACTIONS = (*BILLING, *PAYMENTS, *CHECKS, *STAFF)
REFUSED = "Your staff account does not open this page"
PATIENCE_MILLISECONDS, RETRIES = 5_000, 2  # a connection that was idle may be closed meanwhile


@pytest.fixture(scope="module")
def office(portal: Portal) -> Office:
    return Office(portal).hire()


@pytest.fixture(scope="module")
def pages(browser: Browser, office: Office) -> Iterator[dict[Role, Page]]:
    """The browser of one person of each role, signed in."""
    options = {"base_url": office.portal.url, "java_script_enabled": False}
    contexts = {role: browser.new_context(**options) for role in office.staff}
    for role, context in contexts.items():
        value = sign_in(office.staff[role])
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": office.portal.url}]
        )
    for context in contexts.values():
        context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield {role: context.new_page() for role, context in contexts.items()}
    for context in contexts.values():
        context.close()


@pytest.mark.browser
@pytest.mark.parametrize("action", ACTIONS, ids=[f"{action.name}: {action.button}" for action in ACTIONS])
def test_the_right_person_does_it_and_the_wrong_one_cannot(
    office: Office, pages: dict[Role, Page], action: Action
) -> None:
    case = action.make(office)
    refuse(pages[action.wrong], action, case)
    do(pages[action.right], action, case)


@pytest.mark.django_db
def test_every_action_of_the_staff_has_its_row() -> None:
    client = Client()
    client.force_login(people.make_clerk(Role.REVIEWER), backend="django.contrib.auth.backends.ModelBackend")
    asked = {name: client.post(address).status_code for name, address in list_staff_addresses()}
    acting = {name for name, status in asked.items() if status != LOOKING_IS_ALL}
    stock = {
        f"{model._meta.app_label}_{model._meta.model_name}_{what}"
        for model, own in admin.site._registry.items()
        for what in ("add", "change", "delete")
        if may_by_stock_page(own, what)
    }
    assert {action.name for action in ACTIONS} == acting | stock
    assert not any(action.right == action.wrong for action in ACTIONS)


def may_by_stock_page(own: admin.ModelAdmin, what: str) -> bool:
    """Whether an administrator may do it on a page that Django itself draws."""
    request = RequestFactory().get("/admin/")
    request.user = User(is_staff=True, is_superuser=True, is_active=True)
    return getattr(own, f"has_{what}_permission")(request)


def refuse(page: Page, action: Action, case: Case) -> None:
    """No button stands where the right person has it, and its address answers 403, opened or sent to."""
    page.goto(find_page(action, case.record))
    assert find_button(page, action).count() == 0
    address = reverse(f"admin:{action.name}", args=case.args)
    opened = page.request.get(address, max_retries=RETRIES)
    assert opened.status in (HTTPStatus.FORBIDDEN, LOOKING_IS_ALL), opened.status
    token = next(
        item["value"] for item in page.context.cookies() if item["name"] == settings.CSRF_COOKIE_NAME
    )
    sent = page.request.post(
        address, form={"csrfmiddlewaretoken": token, "why": "x", "act": "yes"}, max_retries=RETRIES
    )
    assert sent.status == HTTPStatus.FORBIDDEN
    assert REFUSED in sent.text()


def do(page: Page, action: Action, case: Case) -> None:
    """The button is found and pressed, what it asks is typed, and the page says that it is done."""
    page.goto(find_page(action, case.record))
    typed = action.typed | case.typed
    if action.has_page:
        with page.expect_navigation():
            find_button(page, action).first.click()
    *first, last = action.pressed or (action.button,)
    left = fill(page, typed)
    for name in first:
        press(page, name)
        left = fill(page, left)
    assert not left, f"no box for {left}"
    if action.takes_away:
        with page.expect_download() as download:
            find_press(page, last).click()
        assert download.value.path().stat().st_size > 0
    else:
        press(page, last, beside=case.typed if action.listed else {})
        expect(page.locator("body")).to_contain_text(action.says)


def find_page(action: Action, record: Model | type[Model]) -> str:
    """Where the button stands."""
    return reverse(f"admin:{action.listed}") if action.listed else find_address(record)


def find_button(page: Page, action: Action) -> Locator:
    """The button, or the link that looks like one."""
    main = page.locator("main")
    if action.has_page:
        return main.get_by_role("link", name=action.button)
    return main.get_by_role("button", name=action.button)


def find_press(page: Page, name: str, *, beside: Typed | None = None) -> Locator:
    """The first such button of the page's own part; or that of the form in which something was typed."""
    main = page.locator("main")
    for label in beside or {}:
        main = main.locator("form").filter(has=page.get_by_label(label, exact=True))
    return main.get_by_role("button", name=name).first


def press(page: Page, name: str, *, beside: Typed | None = None) -> None:
    with page.expect_navigation():
        find_press(page, name, beside=beside).click()


def fill(page: Page, typed: Typed) -> Typed:
    """Type, choose and tick what the page has a box for; what is left is for a page to come."""
    left: Typed = {}
    for label, value in typed.items():
        box = page.get_by_label(label, exact=True)
        if not box.count():
            left[label] = value
        elif value is True:
            box.check()
        elif isinstance(value, bytes):
            box.set_input_files({"name": "day.bai", "mimeType": "text/plain", "buffer": value})
        elif box.evaluate("box => box.tagName") == "SELECT":
            box.select_option(str(value))
        else:
            box.fill(str(value))
    return left


def sign_in(user: User) -> str:
    """The key of a session in which the person has taken both steps."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value
