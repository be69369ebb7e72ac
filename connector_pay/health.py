"""Whether the portal is alive and ready: for load balancers, `make run` and the operator."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

Answer = Callable[[HttpRequest], HttpResponse]


def answer_probes(get_response: Answer) -> Answer:
    """A middleware before all others: load balancers ask by address and without https, which pages refuse."""
    probes: dict[str, Answer] = {"/healthz": healthz, "/readyz": readyz}

    def answer(request: HttpRequest) -> HttpResponse:
        return probes.get(request.path_info, get_response)(request)

    return answer


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and has every migration; Redis is not asked, since the portal works without it."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    if pending:
        return HttpResponse(
            "migrations are missing: run manage.py migrate\n", status=503, content_type="text/plain"
        )
    return HttpResponse("ready\n", content_type="text/plain")
