"""The same with every static file collected, named by its content and compressed, as a portal that people visit has them."""

import os
from pathlib import Path

from tests.bench.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["STATIC_ROOT"])
STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
