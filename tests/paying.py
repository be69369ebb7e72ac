"""Paying through the pages as a browser without JavaScript does: read the form, fill it in, send it, follow where it leads."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from members.models import Enrollment, Member
from tests import people

ROUTING = "011000015"
ACCOUNT = "482001234567"


@dataclass
class Form:
    """One form of a page: where it goes, what it holds, and its boxes by name."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    boxes: dict[str, str] = field(default_factory=dict)


class FormReader(HTMLParser):
    """Collects a page's title, text and forms."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.title = ""
        self.words: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        self._open.append(tag)
        if tag == "form":
            self.forms.append(Form(action=facts.get("action", ""), method=facts.get("method", "get").lower()))
        if tag == "input" and self.forms and facts.get("name"):
            self._add_input(self.forms[-1], facts)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data
        elif not {"script", "style"} & set(self._open[-1:]):
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def _add_input(self, form: Form, facts: dict[str, str]) -> None:
        kind, name, value = facts.get("type", "text"), facts["name"], facts.get("value", "on")
        if kind in {"checkbox", "radio"}:
            form.choices.setdefault(name, []).append(value)
            if kind == "checkbox":
                form.boxes[name] = value
            if "checked" in facts:
                form.values.setdefault(name, []).append(value)
        elif kind != "submit":
            form.values[name] = [facts.get("value", "")]


@dataclass
class Shown:
    """A page as the reader sees it, and the browser it was opened in."""

    client: Client
    path: str
    status: int
    html: str
    title: str
    text: str
    form: Form

    @property
    def checkbox_html(self) -> str:
        """The authorization boxes as they are drawn."""
        return "".join(re.findall(r'<input[^>]*type="checkbox"[^>]*>', self.html))

    def submit(self, **changes: Any) -> "Shown":
        """Send the page's main form with these values changed, and follow where it leads."""
        values = {**self.form.values, **{name: _listed(value) for name, value in changes.items()}}
        answer = self.client.post(self.form.action or self.path, values, follow=True)
        return read(self.client, answer, self.path)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def read(client: Client, answer: Any, path: str) -> Shown:
    """The page an answer shows; its main form is the last one that is posted."""
    reader = FormReader()
    reader.feed(answer.content.decode())
    posted = list_main_forms(reader.forms)
    chain = getattr(answer, "redirect_chain", [])
    return Shown(
        client=client,
        path=chain[-1][0] if chain else path,
        status=answer.status_code,
        html=answer.content.decode(),
        title=reader.title.strip(),
        text=" ".join(" ".join(reader.words).split()),
        form=posted[-1] if posted else Form(action="", method="post"),
    )


def list_main_forms(forms: list[Form]) -> list[Form]:
    """The forms that a page is for: neither those that only look, nor the ways to leave or to stay, nor the other language."""
    leaving = ("logout", "/clear/", "/session/", "#language")
    return [
        form for form in forms if form.method == "post" and not any(way in form.action for way in leaving)
    ]


def get(client: Client, path: str) -> Shown:
    """Open a page."""
    return read(client, client.get(path, follow=True), path)


def sign_in(client: Client, member: Member) -> None:
    """Sign in through the sign-in page."""
    page = get(client, "/accounts/login/").submit(login=member.email, password=people.PASSWORD)
    assert page.status == 200, page.text
    assert client.session.get("_auth_user_id"), page.text


def open_review(client: Client, *, enrollment: Enrollment | None, account: str = ACCOUNT) -> Shown:
    """From "Make a payment" to the review page; for one enrollment's bill, or for all that is due."""
    query = f"?account={enrollment.account.pk}" if enrollment else ""
    bank = get(client, f"/pay/{query}").submit()
    assert "Routing number" in bank.text, bank.text
    review = bank.submit(
        holder_name="Alice Alvarez",
        kind="checking",
        routing_number=ROUTING,
        account_number=account,
        confirm_account_number=account,
    )
    assert "Check and authorize your payment" in review.text, review.text
    return review


def press_pay(review: Shown, *, expect_success: bool = True) -> Shown:
    """Tick every authorization and press Pay."""
    ticks = {name: value for name, value in review.form.boxes.items() if name.startswith("authorize")}
    assert ticks, review.form
    page = review.submit(**ticks)
    assert ("Payment received" in page.text) == expect_success, page.text
    return page
