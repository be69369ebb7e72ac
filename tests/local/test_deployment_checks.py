"""`check --deploy`: a production environment filled in from .env.example passes, and each missing or
dangerous setting is named.
"""

import base64
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from connector_pay.checks import (
    bank,
    bank_files,
    mail,
    phone,
    premium_rules,
    secret_keys,
    servers,
    validation,
    web,
)
from connector_pay.lib.environment import UnableToReadSettings
from tests.local.production_environment import ROOT, fill_in, read_example
from tests.payments.sftp_server import make_key, write_line, write_private

MODULES = (bank, bank_files, mail, phone, premium_rules, secret_keys, servers, validation, web)
OURS = (
    bank.check_bank,
    bank_files.check_bank_files,
    mail.check_mail,
    phone.check_phone,
    premium_rules.check_premium_rules,
    secret_keys.check_secrets,
    servers.check_servers,
    validation.check_validation,
    web.check_web,
)
KEY = base64.b64encode(os.urandom(32)).decode()


def check(environment: dict[str, str]) -> tuple[int, str]:
    """The command's exit code, and all it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT,
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def find_problems(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> list[str]:
    """What our own checks say of the settings read from this environment, without starting another
    process.
    """
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = SimpleNamespace(
        EMAIL_USE_SSL=False, **runpy.run_path(str(ROOT / "connector_pay" / "settings.py"))
    )
    for module in MODULES:
        monkeypatch.setattr(module, "settings", settings)
    return [str(problem.msg) for one in OURS for problem in one(None)]


def test_a_filled_in_example_passes_without_a_warning():
    code, words = check(fill_in())
    assert (code, words) == (0, "System check identified no issues (0 silenced).\n")


def test_every_setting_of_the_settings_file_stands_in_the_example():
    named = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "connector_pay" / "settings.py").read_text()))
    assert named - set(read_example(commented=True)) == {"DATABASE_AS_OWNER"}


def test_the_example_as_it_comes_names_every_setting_that_it_leaves_empty():
    code, words = check(read_example())
    assert code == 1
    empty = [name for name, value in read_example().items() if not value]
    optional = {"DATABASE_OWNER_URL", "POSTGRES_PASSWORD", "CSRF_TRUSTED_ORIGINS", "PREMIUM_POLICY"}
    optional |= {"EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"}
    assert {name for name in empty if f"{name} is" not in words} == optional


def test_an_empty_environment_names_everything_that_is_missing():
    code, words = check({})
    assert code == 1
    missing = [
        "SECRET_KEY",
        "SEALING_KEYS",
        "BLIND_INDEX_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "ALLOWED_HOSTS",
        "PORTAL_URL",
        "TRUSTED_PROXIES",
        "BANK_DRIVER",
        "ACH_IMMEDIATE_DESTINATION",
        "ACH_IMMEDIATE_ORIGIN",
        "ACH_DESTINATION_NAME",
        "ACH_ORIGIN_NAME",
        "ACH_COMPANY_NAME",
        "ACH_COMPANY_ID",
        "ACH_ODFI",
        "EMAIL_HOST",
        "DEFAULT_FROM_EMAIL",
    ]
    assert [name for name in missing if name not in words] == []


DANGEROUS = [
    ({"SECRET_KEY": "short"}, "SECRET_KEY is too weak"),
    (
        {"SEALING_KEYS": f"one:{base64.b64encode(bytes(32)).decode()}"},
        "SEALING_KEYS holds a key that is not random",
    ),
    ({"SEALING_KEYS": f"local-1:{KEY}"}, "SEALING_KEYS holds a demonstration's key"),
    ({"BLIND_INDEX_KEY": "not base64"}, "BLIND_INDEX_KEY must be base64"),
    ({"SEALING_KEYS": f"one:{KEY}", "BLIND_INDEX_KEY": KEY}, "BLIND_INDEX_KEY is also a sealing key"),
    ({"DATABASE_URL": "postgres://postgres:secret@db/portal"}, "DATABASE_URL signs in as postgres"),
    ({"DATABASE_URL": "postgres://web@db/portal"}, "DATABASE_URL has no password"),
    (
        {
            "DATABASE_URL": "postgres://one:secret@db/portal",
            "DATABASE_OWNER_URL": "postgres://one:secret@db/portal",
        },
        "DATABASE_URL and DATABASE_OWNER_URL sign in as the same person",
    ),
    ({"DATABASE_AS_OWNER": "true"}, "DATABASE_AS_OWNER is for migrations only"),
    ({"DEMO_MODE": "true"}, "DEMO_MODE is on"),
    ({"PHONE_TOKEN": "0123456789"}, "PHONE_TOKEN can be guessed"),
    ({"PHONE_TOKEN": "0123" * 8}, "PHONE_TOKEN can be guessed"),
    ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS lets every name in"),
    ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is missing"),
    ({"DEBUG": "true"}, "DEBUG is on"),
    ({"REDIS_URL": "http://redis:6379"}, "REDIS_URL is no address of a Redis server"),
    ({"BEHIND_HTTPS": "false"}, "BEHIND_HTTPS is off"),
    ({"PORTAL_URL": "http://pay.example.org"}, "PORTAL_URL is not an https address"),
    ({"PORTAL_URL": "https://other.example.org"}, "PORTAL_URL has a name that ALLOWED_HOSTS lacks"),
    ({"TRUSTED_PROXIES": "0"}, "TRUSTED_PROXIES is 0"),
    ({"CSRF_TRUSTED_ORIGINS": "http://pay.example.org"}, "CSRF_TRUSTED_ORIGINS trusts http://"),
    ({"BANK_DRIVER": "sandbox"}, "BANK_DRIVER is the sandbox"),
    ({"BANK_DRIVER": "pigeon"}, "BANK_DRIVER is 'pigeon', which does not exist"),
    ({"BANK_FOLDER": ""}, "BANK_FOLDER is missing"),
    ({"BANK_DRIVER": "sftp"}, "SFTP_HOST is missing"),
    ({"BANK_DRIVER": "sftp"}, "SFTP_USER is missing"),
    ({"BANK_DRIVER": "sftp"}, "SFTP_HOST_KEY is missing"),
    ({"BANK_DRIVER": "sftp"}, "SFTP_KEY is missing, and so is SFTP_PASSWORD"),
    ({"BANK_DRIVER": "sftp", "SFTP_OUTGOING": ""}, "SFTP_OUTGOING is missing"),
    ({"BANK_DRIVER": "sftp", "SFTP_INCOMING": ""}, "SFTP_INCOMING is missing"),
    ({"BANK_DRIVER": "sftp", "SFTP_HOST_KEY": "SHA256:abc"}, "SFTP_HOST_KEY is no key that we can read"),
    ({"BANK_DRIVER": "sftp", "SFTP_KEY": "/run/secrets/key"}, "SFTP_KEY is no key that we can read"),
    ({"BANK_DRIVER": "sftp", "SFTP_TIMEOUT_SECONDS": "0"}, "SFTP_TIMEOUT_SECONDS gives the bank no time"),
    ({"BANK_VALIDATION_METHODS": ""}, "BANK_VALIDATION_METHODS is empty"),
    ({"BANK_VALIDATION_METHODS": "manual,hope"}, "BANK_VALIDATION_METHODS names 'hope'"),
    ({"BANK_VALIDATION_METHODS": "history"}, "BANK_VALIDATION_METHODS names history alone"),
    ({"BANK_VALIDATION_METHODS": "history,instant"}, "BANK_VALIDATION_METHODS has nothing after instant"),
    ({"BANK_VALIDATION_METHODS": "instant,manual"}, "INSTANT_VALIDATION_URL is missing"),
    ({"BANK_VALIDATION_METHODS": "instant,manual"}, "INSTANT_VALIDATION_TOKEN is missing"),
    (
        {"BANK_VALIDATION_METHODS": "instant,manual", "INSTANT_VALIDATION_URL": "http://checks.example.org"},
        "INSTANT_VALIDATION_URL is not an https address",
    ),
    (
        {"BANK_VALIDATION_METHODS": "instant,manual", "INSTANT_VALIDATION_URL": "http://127.0.0.1:9000"},
        "INSTANT_VALIDATION_URL is not an https address",
    ),
    (
        {
            "BANK_VALIDATION_METHODS": "instant,manual",
            "INSTANT_VALIDATION_URL": "https://me:secret@checks.example.org",
        },
        "INSTANT_VALIDATION_URL holds a name or password",
    ),
    (
        {"BANK_VALIDATION_METHODS": "instant,manual", "INSTANT_VALIDATION_SECONDS": "0"},
        "INSTANT_VALIDATION_SECONDS is 0",
    ),
    (
        {"BANK_VALIDATION_METHODS": "instant,manual", "INSTANT_VALIDATION_SECONDS": "31"},
        "INSTANT_VALIDATION_SECONDS is 31",
    ),
    (
        {"DEMO_MODE": "true", "BANK_DRIVER": "folder", "BANK_VALIDATION_METHODS": "instant,manual"},
        "INSTANT_VALIDATION_URL is missing",
    ),
    (
        {"ACH_COMPANY_NAME": "A name of more than 16"},
        "ACH_COMPANY_NAME does not look as a bank file needs it",
    ),
    (
        {"ACH_IMMEDIATE_DESTINATION": "011000016"},
        "ACH_IMMEDIATE_DESTINATION has check digit 6, must be 5.",
    ),
    ({"ACH_IMMEDIATE_DESTINATION": "991000015"}, "ACH_IMMEDIATE_DESTINATION must begin with"),
    ({"ACH_ODFI": "0110000"}, "ACH_ODFI does not look as a bank file needs it"),
    ({"ACH_LINE_END": "cr"}, "ACH_LINE_END is 'cr'"),
    ({"ACH_LINE_END": "CRLF"}, "ACH_LINE_END is 'CRLF'"),
    ({"ACH_LINES_PER_FILE": "9"}, "ACH_LINES_PER_FILE is 9"),
    ({"ACH_LINES_PER_FILE": "9999991"}, "ACH_LINES_PER_FILE is 9999991"),
    ({"ACH_OFFSET_ACCOUNT": "011000015:12345678"}, "ACH_OFFSET_ACCOUNT must have three parts"),
    ({"ACH_OFFSET_ACCOUNT": "011000016:12345678:checking"}, "ACH_OFFSET_ACCOUNT must begin with a bank's"),
    ({"ACH_OFFSET_ACCOUNT": "011000015:123-5678:checking"}, "ACH_OFFSET_ACCOUNT must have an account number"),
    ({"ACH_OFFSET_ACCOUNT": "011000015:00000000:checking"}, "ACH_OFFSET_ACCOUNT must have an account number"),
    ({"ACH_OFFSET_ACCOUNT": "011000015:12345678:Checking"}, "ACH_OFFSET_ACCOUNT must end with checking"),
    ({"PREMIUM_POLICY": '{"file_cutoff": "08:59"}'}, "PREMIUM_POLICY gives 'file_cutoff' 08:59"),
    ({"PREMIUM_POLICY": '{"file_cutoff": "23:01"}'}, "PREMIUM_POLICY gives 'file_cutoff' 23:01"),
    ({"PREMIUM_POLICY": '{"autopay_day": 24}'}, "PREMIUM_POLICY gives AutoPay the days 19, 24 and 23"),
    ({"PREMIUM_POLICY": '{"autopay_last_day": 23}'}, "PREMIUM_POLICY gives AutoPay the days 23, 22 and 23"),
    ({"PREMIUM_POLICY": '{"due_day": 29}'}, "PREMIUM_POLICY gives AutoPay the days 19, 22 and 29"),
    ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "EMAIL_BACKEND sends no mail"),
    ({"EMAIL_BACKEND": "nope.Backend"}, "EMAIL_BACKEND names nothing that is installed here"),
    ({"EMAIL_BACKEND": "nope"}, "EMAIL_BACKEND names nothing that is installed here"),
    ({"EMAIL_USE_TLS": "false"}, "EMAIL_USE_TLS is off"),
    ({"DEFAULT_FROM_EMAIL": "billing@localhost"}, "DEFAULT_FROM_EMAIL is missing"),
    ({"DEFAULT_FROM_EMAIL": ""}, "DEFAULT_FROM_EMAIL is missing"),
    ({"PREMIUM_POLICY": '{"dew_day": 23}'}, "PREMIUM_POLICY has no rule named 'dew_day'"),
    ({"PREMIUM_POLICY": '{"due_day": "late"}'}, "PREMIUM_POLICY gives 'due_day' a value of the wrong kind"),
    ({"GUEST_IDENTIFICATION": "none"}, "GUEST_IDENTIFICATION is 'none'"),
]


@pytest.mark.parametrize(("changes", "words"), DANGEROUS, ids=[words for _, words in DANGEROUS])
def test_each_danger_is_named(changes, words, monkeypatch):
    problems = find_problems(monkeypatch, fill_in(**changes))
    assert [problem for problem in problems if words in problem], problems


@pytest.mark.parametrize("methods", ["manual", "prenote", "history,prenote", "history,manual"])
def test_each_way_to_answer_for_every_account_is_enough(methods, monkeypatch):
    assert find_problems(monkeypatch, fill_in(BANK_VALIDATION_METHODS=methods)) == []


@pytest.mark.parametrize("seconds", ["0.5", "30"])
def test_a_provider_with_address_and_token_is_taken(seconds, tmp_path, monkeypatch):
    token = tmp_path / "token"
    token.write_text("a-token-of-the-provider")
    environment = fill_in(
        BANK_VALIDATION_METHODS="history,instant,manual",
        INSTANT_VALIDATION_URL="https://checks.example.org/v1/accounts",
        INSTANT_VALIDATION_TOKEN_FILE=str(token),
        INSTANT_VALIDATION_SECONDS=seconds,
    )
    assert find_problems(monkeypatch, environment) == []


@pytest.mark.parametrize(("driver", "name"), [("folder", "BANK_FOLDER"), ("sandbox", "SANDBOX_BANK_DIR")])
@pytest.mark.parametrize("place", ["file", "file/bank", "/proc/bank"])
def test_a_bank_folder_that_cannot_be_made_or_written_is_named(driver, name, place, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    environment = fill_in(BANK_DRIVER=driver, **{name: str(tmp_path / place)})
    problems = find_problems(monkeypatch, environment)
    assert f"{name} cannot be made or written: {tmp_path / place}." in problems


def test_a_bank_folder_of_which_one_part_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "outgoing").touch()
    (problem,) = find_problems(monkeypatch, fill_in(BANK_FOLDER=str(tmp_path)))
    assert problem == f"BANK_FOLDER cannot be made or written: {tmp_path / 'outgoing'}."


def test_asking_after_the_bank_folder_makes_nothing(tmp_path, monkeypatch):
    assert find_problems(monkeypatch, fill_in(BANK_FOLDER=str(tmp_path / "a" / "bank"))) == []
    assert list(tmp_path.iterdir()) == []


def test_a_local_mail_server_needs_no_tls(monkeypatch):
    assert find_problems(monkeypatch, fill_in(EMAIL_HOST="localhost", EMAIL_USE_TLS="false")) == []


def test_rules_that_exist_are_taken(monkeypatch):
    rules = '{"due_day": 20, "autopay_day": 20, "autopay_last_day": 20, "file_cutoff": "16:30"}'
    assert find_problems(monkeypatch, fill_in(PREMIUM_POLICY=rules)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"ACH_LINE_END": "crlf", "ACH_LINES_PER_FILE": "10"},
        {"ACH_LINES_PER_FILE": "9999990", "ACH_OFFSET_ACCOUNT": "011000015:12345678:savings"},
        {"PREMIUM_POLICY": '{"file_cutoff": "09:00"}'},
        {"PREMIUM_POLICY": '{"file_cutoff": "23:00"}'},
    ],
)
def test_each_way_that_a_bank_may_want_its_files_is_taken(changes, monkeypatch):
    assert find_problems(monkeypatch, fill_in(**changes)) == []


def test_what_is_wrong_with_the_offset_account_is_said_without_its_number(monkeypatch):
    problems = find_problems(monkeypatch, fill_in(ACH_OFFSET_ACCOUNT="011000015:482001234567:both"))
    assert len(problems) == 1
    assert "482001234567" not in problems[0]


def test_a_number_of_lines_that_is_no_number_stops_the_start(monkeypatch):
    with pytest.raises(UnableToReadSettings, match="ACH_LINES_PER_FILE must be a whole number"):
        find_problems(monkeypatch, fill_in(ACH_LINES_PER_FILE="many"))


def test_a_setting_may_stand_in_a_file(tmp_path: Path, monkeypatch):
    environment = fill_in()
    secret = tmp_path / "secret_key"
    secret.write_text(environment.pop("SECRET_KEY"))
    assert find_problems(monkeypatch, {**environment, "SECRET_KEY_FILE": str(secret)}) == []


@pytest.mark.parametrize("way", ["SFTP_PASSWORD", "SFTP_KEY", "SFTP_KEY_FILE"])
def test_an_sftp_bank_with_all_it_needs_passes(way, tmp_path: Path, monkeypatch):
    key = tmp_path / "key"
    key.write_text(write_private(make_key()))
    values = {"SFTP_PASSWORD": "secret", "SFTP_KEY": key.read_text(), "SFTP_KEY_FILE": str(key)}
    sftp = {
        "BANK_DRIVER": "sftp",
        "SFTP_HOST": "sftp.bank.example",
        "SFTP_USER": "exchange",
        "SFTP_HOST_KEY": write_line(make_key()),
        way: values[way],
    }
    assert find_problems(monkeypatch, fill_in(**sftp)) == []


@pytest.mark.parametrize("value", ["yes", "1", ""])
def test_a_boolean_that_is_neither_true_nor_false_stops_the_start(value, monkeypatch):
    with pytest.raises(UnableToReadSettings, match='DEMO_MODE must be "true" or "false"'):
        find_problems(monkeypatch, fill_in(DEMO_MODE=value))


UNREADABLE = [
    ("LOG_LEVEL", "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL."),
    ("DATABASE_URL", "mysql://x", "must be the address of PostgreSQL, like postgres://"),
    ("DATABASE_OWNER_URL", "postgres://x:p/w@db/y", "is no address: write signs in a password as %40"),
    ("DATABASE_KEEP_SECONDS", "-1", "must be a whole number from 0"),
    ("REDIS_URL", "redis://[", "is no address"),
    ("PORTAL_URL", "https://[", "is no address"),
    ("TRUSTED_PROXIES", "", "must be a whole number from 0 to 100."),
    ("TRUSTED_PROXIES", "x", "must be a whole number from 0 to 100."),
    ("EMAIL_PORT", "x", "must be a whole number from 1 to 65535."),
    ("EMAIL_PORT", "0", "must be a whole number from 1 to 65535."),
    ("EMAIL_USE_TLS", "maybe", 'must be "true" or "false".'),
    ("SEALING_KEYS", "k1:abcd", "must be NAME:KEY[,NAME:KEY...], each KEY base64 of 32 random bytes."),
    ("SEALING_KEYS", KEY, "must be NAME:KEY"),
    ("SEALING_KEYS", "k1:clé", "must be NAME:KEY"),
    ("PREMIUM_POLICY", "{bad", "must be one JSON object, like {"),
    ("SECRET_KEY_FILE", "/nowhere/secret", "cannot be read from its file: let SECRET_KEY_FILE name"),
]


@pytest.mark.parametrize(
    ("name", "value", "words"), UNREADABLE, ids=[f"{name} {words}" for name, _value, words in UNREADABLE]
)
def test_a_value_that_cannot_be_read_is_named_in_one_line_that_does_not_quote_it(
    name, value, words, monkeypatch
):
    with pytest.raises(UnableToReadSettings) as refused:
        find_problems(monkeypatch, fill_in(**{name: value}))
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{name.removesuffix('_FILE')} {words}")
    assert KEY not in line


def test_a_command_names_all_that_cannot_be_read_at_once_a_line_each_and_fails():
    wrong = {name: value for name, value, _ in UNREADABLE}
    code, words = check(fill_in(**wrong))
    assert code == 1
    assert {line.split()[0] for line in words.splitlines()} == {name.removesuffix("_FILE") for name in wrong}


@pytest.mark.parametrize("value", ["[23]", "due_day=23"])
def test_premium_rules_that_are_no_object_stop_the_start(value, monkeypatch):
    with pytest.raises(UnableToReadSettings, match="PREMIUM_POLICY must be one JSON object"):
        find_problems(monkeypatch, fill_in(PREMIUM_POLICY=value))
