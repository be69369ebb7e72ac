"""`manage.py call`: a phone call in the terminal, over the same webhooks as a carrier's: prompts are printed, keys are typed."""

import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from payments.channels.phone.calls import SILENCE
from payments.channels.phone.playing import Call, Heard
from payments.channels.phone.signature import sign
from payments.channels.phone.words import LANGUAGES
from payments.views.phone import SIGNATURE

PROMPT = "> "
WAIT, HANG_UP = "wait", "bye"


class Command(BaseCommand):
    """Plays one call against a running portal."""

    help = (
        "Call the payment line of a running portal. Type the keys and Enter (pound alone: just Enter, or #; "
        f"'{WAIT}' waits in silence, '{HANG_UP}' hangs up)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which portal, in which language, from which number."""
        parser.add_argument("--url", default=settings.PORTAL_URL, help="the portal's address")
        parser.add_argument("--language", choices=LANGUAGES, help="answer the first question with it")
        parser.add_argument("--from", dest="caller", default="+16175550123", help="the caller's number")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what is said, send what is typed, until the call is over."""
        self.url = str(options["url"])
        if not self.url.startswith(("http://", "https://")):
            raise CommandError("--url must be the portal's http or https address.")
        call = Call(post=self._post, caller=options["caller"])
        heard = call.begin()
        if options["language"]:
            key = str(LANGUAGES.index(options["language"]) + 1)
            self._say(heard)
            self.stdout.write(f"{PROMPT}{key}")
            heard = call.key_in(heard, key)
        try:
            while not self._say(heard).is_over:
                heard = self._answer(call, heard)
        except (EOFError, KeyboardInterrupt):
            call.hang_up()

    def _answer(self, call: Call, heard: Heard) -> Heard:
        typed = input(PROMPT).strip()
        if typed == HANG_UP:
            call.hang_up()
            return Heard()
        if typed == WAIT:
            time.sleep(SILENCE.seconds)
            return call.wait(heard)
        return call.key_in(heard, typed)

    def _say(self, heard: Heard) -> Heard:
        for _language, words in heard.lines:
            self.stdout.write(words)
        self.stdout.flush()
        return heard

    def _post(self, path: str, parameters: Mapping[str, str]) -> str:
        """Send one webhook, signed where the portal takes only signed ones. Raises CommandError."""
        body = urlencode(parameters).encode()
        request = urllib.request.Request(urljoin(self.url, path), data=body)  # noqa: S310  http or https: checked
        if settings.PHONE_TOKEN:
            sent = parse_qs(body.decode(), keep_blank_values=True)
            signed = settings.PORTAL_URL.rstrip("/") + path
            request.add_header(SIGNATURE, sign(url=signed, parameters=sent, token=settings.PHONE_TOKEN))
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  as above
                return str(answer.read().decode())
        except OSError as error:
            raise CommandError(f"{self.url} took no call: {error}.") from error
