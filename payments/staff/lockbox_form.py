"""The form of a lockbox file: chosen once, then carried sealed from its preview to its button; it stands on no page in clear."""

import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from connector_pay.lib.sealed import UnableToOpen, open_sealed, seal

PURPOSE = "lockbox_upload"
MOST_BYTES = 8_000_000
MOST_SEALED = 2_000_000  # letters in the page; what Django takes of a form is more
TOO_LARGE = "This file is too large for the page. Have it imported with manage.py import_lockbox."
CHOOSE = "Choose the file that the bank left."


@dataclass(frozen=True)
class Upload:
    """A file as it was chosen; as text its name and digest."""

    name: str
    data: bytes

    def __str__(self) -> str:
        return f"{self.name} {sha256(self.data).hexdigest()}"


class LockboxForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label="File",
        required=False,
        allow_empty_file=True,
        help_text="The bank's lockbox file of a day, BAI or our CSV.",
    )
    sealed = forms.CharField(widget=forms.HiddenInput, required=False)
    form_key = forms.UUIDField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """The chosen file, or the one that the preview carries, stands in `upload`."""
        typed = super().clean() or {}
        key, chosen = typed.get("form_key"), typed.get("file")
        if key is None:
            raise ValidationError(CHOOSE)
        upload = _read_chosen(chosen) if chosen else open_upload(token=typed.get("sealed", ""), key=key)
        self.data = {**self.data, "sealed": seal_upload(upload=upload, key=key), "form_key": str(key)}
        return {"upload": upload, "form_key": key}


def seal_upload(*, upload: Upload, key: UUID) -> str:
    """The file for a hidden box of this form. Raises ValidationError for one that is too large."""
    clear = zlib.compress(upload.name.encode(errors="replace") + b"\0" + upload.data)
    token = b64encode(seal(clear=clear, purpose=PURPOSE, row=key)).decode()
    if len(token) > MOST_SEALED:
        raise ValidationError(TOO_LARGE)
    return token


def open_upload(*, token: str, key: UUID) -> Upload:
    """The file that a hidden box of this form carries. Raises ValidationError."""
    try:
        clear = open_sealed(token=b64decode(token, validate=True), purpose=PURPOSE, row=key)
    except (UnableToOpen, ValueError) as error:
        raise ValidationError(CHOOSE) from error
    name, _, data = zlib.decompress(clear).partition(b"\0")
    return Upload(name.decode(), data)


def _read_chosen(chosen: Any) -> Upload:
    if chosen.size > MOST_BYTES:
        raise ValidationError(TOO_LARGE)
    return Upload(chosen.name, chosen.read())
