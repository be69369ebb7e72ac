"""Logs: nothing in a line opens a bill or names a bank account."""

import json
import logging

import pytest

from connector_pay.lib.logs import make_formatter


def write_line(message: str, **facts: object) -> dict:
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, message, None, None)
    for name, value in facts.items():
        setattr(record, name, value)
    return json.loads(make_formatter().format(record))


@pytest.mark.parametrize(
    "message",
    [
        "Forbidden (CSRF cookie not set.): /b/7JTH-LUHLC-LXPMT-SBGYD/",
        "POST /b/7JTH-LUHLC-LXPMT-SBGYD/?from=qr",
        "<WSGIRequest: GET '/b/7JTH-LUHLC-LXPMT-SBGYD/'>",
    ],
)
def test_the_code_of_a_bill_is_taken_out_of_its_address(message):
    line = write_line(message)["event"]
    assert "LUHLC" not in line
    assert "/b/[code removed]" in line


def test_other_addresses_stay_as_they_are():
    assert write_line("Not Found: /bills/abc/")["event"] == "Not Found: /bills/abc/"
