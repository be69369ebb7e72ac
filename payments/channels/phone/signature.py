"""A carrier's signature: HMAC-SHA1 over the address and the parameters in order, as Twilio and those like it sign."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence


def sign(*, url: str, parameters: Mapping[str, Sequence[str]], token: str) -> str:
    """The signature of a webhook: its whole address, then each parameter's name and value, by name."""
    pairs = (f"{name}{value}" for name, values in sorted(parameters.items()) for value in sorted(set(values)))
    digest = hmac.new(token.encode(), (url + "".join(pairs)).encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def is_signed(*, url: str, parameters: Mapping[str, Sequence[str]], token: str, signature: str) -> bool:
    """Whether the carrier's own token has signed this."""
    expected = sign(url=url, parameters=parameters, token=token)
    return bool(token) and hmac.compare_digest(expected.encode(), signature.encode())
