"""The portal's settings under test: servers of the tests' own, fast password hashes, everything else as it runs."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from connector_pay.local import servers

provided = servers.provide_for_tests()
os.environ.setdefault("DEMO_MODE", "true")
# Playwright keeps an event loop in the thread that also makes the households of the browser tests.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from connector_pay.settings import *  # noqa: E402, F403  (the servers must be named first)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DATA_DIR = Path(tempfile.mkdtemp(prefix="connector-pay-test-"))
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)
SANDBOX_BANK_DIR = DATA_DIR / "sandbox_bank"
EMAIL_FILE_PATH = str(DATA_DIR / "outbox")
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
if "PREMIUM_POLICY" not in os.environ:
    PREMIUM_POLICY = {}  # the exchange's own limits, not the demo's wider ones
