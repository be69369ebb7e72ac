"""Sealed values: AES-GCM under a key ring from the environment, each bound to its purpose and its row; and the blind index.

A sealed token is the key's id, a colon, a 12-byte nonce and the ciphertext. Opening one under another purpose or row fails.
"""

import base64
import hashlib
import hmac
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE_BYTES = 12


class UnableToOpen(Exception):
    """The sealed value was not sealed with a key of the ring, or not for this purpose and row."""


def seal(*, clear: bytes, purpose: str, row: UUID) -> bytes:
    """The value sealed with the ring's first key."""
    if not settings.SEALING_KEYS:
        raise ImproperlyConfigured("Set SEALING_KEYS: without it no bank account can be kept.")
    key_id, key = next(iter(settings.SEALING_KEYS.items()))
    nonce = os.urandom(NONCE_BYTES)
    return key_id.encode() + b":" + nonce + AESGCM(key).encrypt(nonce, clear, _bind(purpose, row))


def open_sealed(*, token: bytes, purpose: str, row: UUID) -> bytes:
    """The clear value. Raises UnableToOpen."""
    key_id, _, rest = bytes(token).partition(b":")
    key = settings.SEALING_KEYS.get(key_id.decode(errors="replace"))
    if key is None:
        raise UnableToOpen("The key that sealed this value is not in SEALING_KEYS.")
    try:
        return AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _bind(purpose, row))
    except InvalidTag as error:
        raise UnableToOpen("A sealed value was changed, or belongs to another row.") from error


def blind_index(*, value: str) -> str:
    """A keyed fingerprint: equal for equal values, telling nothing of the value to who lacks the key."""
    if not settings.BLIND_INDEX_KEY:
        raise ImproperlyConfigured("Set BLIND_INDEX_KEY: base64 of 32 random bytes.")
    key = base64.b64decode(settings.BLIND_INDEX_KEY)
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


def _bind(purpose: str, row: UUID) -> bytes:
    return f"{purpose}:{row}".encode()
