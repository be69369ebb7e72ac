"""The portal's settings under measurement: servers of the benchmarks' own, which keep their data as safe as `make run` does."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from connector_pay.local.places import DATA, Place
from connector_pay.local.servers import provide_at

provided = provide_at(Place(Path(DATA) / "bench"), start=True)
os.environ.setdefault("DEMO_MODE", "true")

from connector_pay.settings import *  # noqa: E402, F403  (the servers must be named first)

EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
SANDBOX_BANK_DIR = Path(tempfile.mkdtemp(prefix="connector-pay-bench-"))
atexit.register(shutil.rmtree, SANDBOX_BANK_DIR, ignore_errors=True)
LOG_LEVEL = "CRITICAL"
LOGGING["root"]["level"] = LOG_LEVEL  # noqa: F405
# Nothing is collected for a portal that is only paid through.
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
