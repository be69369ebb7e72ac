"""The log's context of a request: its id, who is signed in, and the address that our own proxies vouch for."""

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware

from connector_pay.lib.addresses import read_address


class RequestLog(RequestMiddleware):
    """The package's own, which would believe any X-Forwarded-For."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """The method and the path: what staff look for stands behind the question mark."""
        return f"{request.method} {request.path}"

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """Keep the address for every event of this request."""
        structlog.contextvars.bind_contextvars(ip=read_address(request))
