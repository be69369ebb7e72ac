"""Redis as a cache that may be gone: while it does not answer it is left alone for some seconds, and nothing waits for it.

What only asks and notes goes on as if nothing were known: people can sign in, and the database counts their failures. Whoever
must count is told, by RedisError, to count elsewhere or to refuse.
"""

import time as machine
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import RedisError

REST_SECONDS = 5.0

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")


class RestingRedisCache(RedisCache):
    """Django's own Redis cache, each thread's with the moment until which Redis is left alone."""

    rests_until = 0.0

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """True where nobody can say that the key was there."""
        add = super().add
        return self._ask(lambda: add(key, value, timeout, version), otherwise=True)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """The default where nobody can say what is kept."""
        get = super().get
        return self._ask(lambda: get(key, default, version), otherwise=default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Keeps nothing where nobody can."""
        keep = super().set
        self._ask(lambda: keep(key, value, timeout, version), otherwise=None)

    def delete(self, key: Any, version: int | None = None) -> bool:
        """False where nobody can."""
        delete = super().delete
        return self._ask(lambda: delete(key, version), otherwise=False)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        """What is kept under the keys. Raises RedisError."""
        self._refuse_while_resting()
        return super().get_many(keys, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """The count after adding. Raises RedisError, and ValueError where there is no such key."""
        self._refuse_while_resting()
        return super().incr(key, delta, version)

    def _ask(self, question: Callable[[], Answer], *, otherwise: Answer) -> Answer:
        if self._is_resting():
            return otherwise
        try:
            return question()
        except RedisError as error:
            self.rests_until = machine.monotonic() + REST_SECONDS
            log.warning("Redis does not answer", error=type(error).__name__)
            return otherwise

    def _refuse_while_resting(self) -> None:
        if self._is_resting():
            raise RedisGone("Redis has just not answered.")

    def _is_resting(self) -> bool:
        return machine.monotonic() < self.rests_until
