"""Every crash point of a workflow: die before each statement, COMMIT and outside effect in turn, run again, compare.

Django is loaded once. For each point a database is cloned, a fork works on it until it dies there with `os._exit`, a second fork
runs the work again; then the business facts must be those of a run that nothing interrupted, and the self-check clean, both
right after the crash and at the end.
"""

import gc
import os
import pickle
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import connection, connections

from connector_pay import self_check
from tests import databases

DIED = 42
Work = Callable[[], object]


@dataclass
class Counter:
    """Counts the gaps between steps, and dies in the gap numbered `die_at` (0: never)."""

    die_at: int = 0
    gaps: int = 0
    steps: list[str] = field(default_factory=list)

    def pass_gap(self, step: str) -> None:
        """One gap: the moment before a step, or after a COMMIT or an effect."""
        self.gaps += 1
        self.steps.append(step[:100])
        if self.gaps == self.die_at:
            os._exit(DIED)


@dataclass(frozen=True)
class Effect:
    """Something outside the database, named as its class and method: the bank taking a file, a mail going out."""

    owner: type
    method: str


def check_every_crash_point(
    *,
    template: str,
    folder: Path,
    prepare: Work,
    work: Work,
    read_facts: Callable[[], Any],
    effects: tuple[Effect, ...] = (),
    every_gap: bool = True,
) -> int:
    """Crash `work` everywhere, after `prepare`; returns how many points were tried. Both must stand on their own two feet.

    Without `every_gap` only before and after each COMMIT and effect: dying between two statements of one transaction leaves
    what the last COMMIT left.
    """
    base = Stage(name=f"crash_{os.getpid()}", folder=folder / "base")
    with base.opened(template=template, bank=None):
        base.fork(prepare, effects=())
        counted = _run_uninterrupted(
            base=base, folder=folder, work=work, read_facts=read_facts, effects=effects
        )
        points = [
            number
            for number, step in enumerate(counted.steps, start=1)
            if every_gap or step.startswith(("before ", "after "))
        ]
        for point in points:
            _crash_once(
                base=base,
                folder=folder,
                point=point,
                work=work,
                read_facts=read_facts,
                effects=effects,
                expected=counted,
            )
    return len(points)


@dataclass(frozen=True)
class Uninterrupted:
    """The run that nothing interrupted: its steps and its end state."""

    gaps: int
    steps: list[str]
    facts: Any


@dataclass
class Stage:
    """A database and a bank folder of one crash point's own."""

    name: str
    folder: Path

    @contextmanager
    def opened(self, *, template: str, bank: Path | None) -> Iterator[None]:
        """Made from the template database and a copy of the bank's folder; gone at the end."""
        databases.clone(template=template, name=self.name)
        if bank and bank.exists():
            shutil.copytree(bank, self.folder, dirs_exist_ok=True)
        try:
            yield
        finally:
            databases.drop(self.name)
            shutil.rmtree(self.folder, ignore_errors=True)

    def fork(self, work: Callable[[], Any], *, effects: tuple[Effect, ...], die_at: int = 0) -> "Outcome":
        """Do the work in a forked process on this stage; what it returns, and its steps, come back through a pipe."""
        connection.close()
        reader, writer = os.pipe()
        gc.freeze()  # a collection in the child would copy every page of a parent as large as a test run
        child = os.fork()
        if child == 0:
            gc.disable()
            os.close(reader)
            self._work_and_exit(work=work, effects=effects, die_at=die_at, writer=writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == DIED:
            return Outcome(died=True, result=None, steps=[])
        result, steps, error = pickle.loads(answer)
        assert not error, error
        return Outcome(died=False, result=result, steps=steps)

    def _work_and_exit(
        self, *, work: Callable[[], Any], effects: tuple[Effect, ...], die_at: int, writer: int
    ) -> None:
        counter, result, error = Counter(die_at=die_at), None, ""
        try:
            # Beside playwright's event loop the parent has another connection than we, and ours may be an open one of its own.
            connection.connection = None
            connection.settings_dict["NAME"] = self.name
            settings.SANDBOX_BANK_DIR = self.folder
            with watched(counter, effects=effects):
                result = work()
        except BaseException:  # noqa: BLE001  (the whole story of the child goes to its parent)
            error = traceback.format_exc()
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(pickle.dumps((result, counter.steps, error)))
        os._exit(0)


@dataclass(frozen=True)
class Outcome:
    """How a forked run ended."""

    died: bool
    result: Any
    steps: list[str]


@contextmanager
def watched(counter: Counter, *, effects: tuple[Effect, ...]) -> Iterator[None]:
    """Count every statement, COPY, COMMIT and effect of this process."""

    def before_statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        counter.pass_gap(sql)
        return execute(sql, params, many, context)

    commit = type(connections["default"])._commit

    def counted_commit(self: Any) -> Any:
        counter.pass_gap("before COMMIT")
        result = commit(self)
        counter.pass_gap("after COMMIT")
        return result

    with ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(before_statement))
        stack.enter_context(mock.patch.object(type(connections["default"]), "_commit", counted_commit))
        for effect in effects:
            stack.enter_context(_count_effect(counter, effect))
        yield


def _count_effect(counter: Counter, effect: Effect) -> Any:
    original = getattr(effect.owner, effect.method)

    def counted(*args: Any, **kwargs: Any) -> Any:
        counter.pass_gap(f"before {effect.method}")
        result = original(*args, **kwargs)
        counter.pass_gap(f"after {effect.method}")
        return result

    return mock.patch.object(effect.owner, effect.method, counted)


def _run_uninterrupted(
    *, base: Stage, folder: Path, work: Work, read_facts: Callable[[], Any], effects: tuple[Effect, ...]
) -> Uninterrupted:
    stage = Stage(name=f"{base.name}_whole", folder=folder / "whole")
    with stage.opened(template=base.name, bank=base.folder):
        worked = stage.fork(work, effects=effects)
        violations, facts = stage.fork(
            lambda: (self_check.find_violations(), read_facts()), effects=()
        ).result
        assert violations == []
        return Uninterrupted(gaps=len(worked.steps), steps=worked.steps, facts=facts)


def _crash_once(
    *,
    base: Stage,
    folder: Path,
    point: int,
    work: Work,
    read_facts: Callable[[], Any],
    effects: tuple[Effect, ...],
    expected: Uninterrupted,
) -> None:
    stage = Stage(name=f"{base.name}_{point}", folder=folder / str(point))
    where = f"crash point {point} of {expected.gaps}: {expected.steps[point - 1]}"
    with stage.opened(template=base.name, bank=base.folder):
        assert stage.fork(work, effects=effects, die_at=point).died, where
        after_crash, at_end, facts = stage.fork(lambda: _go_on(work, read_facts), effects=()).result
        assert after_crash == [], f"after {where}"
        assert at_end == [], f"run again after {where}"
        assert facts == expected.facts, where


def _go_on(work: Work, read_facts: Callable[[], Any]) -> tuple[Any, Any, Any]:
    """What is broken right after the crash; then the work again, what is broken at its end, and the facts."""
    after_crash = self_check.find_violations()
    work()
    return after_crash, self_check.find_violations(), read_facts()
