"""The parent of all processes of the fleet: ordered start, restart of dead ones, ordered stop."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from fleet.supervisor.backoff import STEADY_AFTER, Backoff
from fleet.supervisor.child import Child, interruptions_held
from fleet.supervisor.process import FleetStartError, ProcessSpec, ProcessState, RunningProcess
from fleet.supervisor.second_interrupt import SecondInterrupt
from fleet.supervisor.warm_parent import WarmParent, reap_orphans
from fleet.supervisor.watchdog import LAST_SECONDS, Watchdog

_POLL_SECONDS: Final = 0.05
# With the reserve that each lower stage keeps, everything is down in less than 20 s, and the servers, which come
# last, are not killed because others took their time.
_STOP_SECONDS: Final = 18.0
_STAGE_RESERVE_SECONDS: Final = 4.0


@dataclass(slots=True)
class _Post:
    """A place of the fleet: its specification and the child that fills it now, if any."""

    spec: ProcessSpec
    child: Child | None = None
    restarts: int = 0
    has_lower_priority: bool = False
    start_at: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)

    def report(self) -> RunningProcess:
        state = ProcessState.RUNNING
        if self.backoff.failing:
            state = ProcessState.FAILING
        elif self.child is None:
            state = ProcessState.RESTARTING
        pid = None if self.child is None else self.child.pid
        return RunningProcess(name=self.spec.name, pid=pid, state=state, restarts=self.restarts)


class Supervisor:
    """Starts processes stage by stage, keeps them running, and stops them in the reverse order.

    Use it from the main thread alone. The caller makes sure that `stop()` is reached (`try … finally`).
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        on_change: Callable[[tuple[RunningProcess, ...]], None],
        before_stage: Mapping[int, Callable[[], None]] = MappingProxyType({}),
        last_seconds: float = LAST_SECONDS,
        warm: WarmParent | None = None,
    ) -> None:
        """Describe the fleet; nothing is started yet.

        Args:
            specs: The processes; names are unique.
            on_change: Called in this process with all processes: once when the start is complete, then
                whenever one dies, is started again, or begins or ceases to be failing. Not during the stop.
            before_stage: Called in this process before a stage starts, once all lower stages are ready.
            last_seconds: What the processes may take to end once this process has ended without stopping them.
            warm: Forks those that may be forked; started, unless it runs already, and stopped with them.

        Raises:
            ValueError: Two processes have the same name.
        """
        names = [spec.name for spec in specs]
        if len(set(names)) != len(names):
            raise ValueError(f"every process needs a name of its own: {sorted(names)}")
        self._posts = [_Post(spec) for spec in specs]
        self._on_change = on_change
        self._before_stage = before_stage
        self._reported: tuple[RunningProcess, ...] = ()
        self._watchdog = Watchdog(last_seconds=last_seconds)
        self._warm = warm
        self._warm_pid: int | None = None
        """The warm parent of which the watchdog knows."""

    @property
    def processes(self) -> tuple[RunningProcess, ...]:
        """Return all processes with their present state, in the order they were given."""
        return tuple(post.report() for post in self._posts)

    def start(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Start everything and return when all of it is ready.

        An exception, that of a failing hook or of Ctrl-C included, also stops what was started.

        Args:
            until: Asked every 50 ms; once it returns true, no more is started, and what is started is left to `stop()`.

        Returns:
            Whether everything is ready.

        Raises:
            FleetStartError: A process ended or did not get ready in time.
        """
        complete = False
        try:
            self._watchdog.tend(())
            self._tend_warm()
            ready = all(self._start_stage(stage, until) for stage in self._stages())
            if ready:
                self._report()
            complete = True
        finally:
            if not complete:
                self.stop()
        return ready

    def watch(self, until: Callable[[], bool]) -> None:
        """Restart processes that die, until `until` returns true (asked every 50 ms)."""
        while not until():
            now = time.monotonic()
            for post in self._posts:
                self._tend(post, now)
            # Short of memory or processes: it is tried again.
            with contextlib.suppress(OSError):
                self._watchdog.tend(self._pids())
                self._tend_warm()
            self._report()
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop everything, highest stage first, in less than 20 s; harmless when nothing runs.

        All of a stage get their stop signal at once. What outlives its timeout is killed with its descendants,
        and so is whatever a stopped process left in its group. A Ctrl-C during the stop kills all at once but
        those that keep data. No other signal that asks for the stop changes anything.
        """
        deadline = time.monotonic() + _STOP_SECONDS
        if self._warm is not None:
            self._warm.stop()
        with SecondInterrupt() as interrupt:
            stages = sorted(self._stages(), reverse=True)
            for below, stage in zip(range(len(stages) - 1, -1, -1), stages, strict=True):
                latest = deadline - below * _STAGE_RESERVE_SECONDS
                self._stop_stage(stage, latest, interrupt)
            self._watchdog.stop()

    def _pids(self) -> list[int]:
        """All that runs, without the watchdog."""
        pids = [post.child.pid for post in self._posts if post.child is not None]
        return pids if self._warm is None or self._warm.pid is None else [*pids, self._warm.pid]

    def _tend_warm(self) -> None:
        """Start the warm parent unless it runs, and reap what others have left to us because of it."""
        if self._warm is None:
            return
        self._warm.tend()
        now, before = self._warm.pid, self._warm_pid
        if now != before:
            if before is not None:
                self._watchdog.remove(before)
            if now is not None:
                self._watchdog.add(now)
            self._warm_pid = now
        if now is not None:
            reap_orphans({*self._pids(), self._watchdog.pid})

    def _stages(self) -> list[int]:
        return sorted({post.spec.stage for post in self._posts})

    def _start_stage(self, stage: int, until: Callable[[], bool]) -> bool:
        """Start a stage and wait until it is ready; `False`: somebody wants everything stopped instead."""
        if until():
            return False
        if stage in self._before_stage:
            self._before_stage[stage]()
        waiting = [post for post in self._posts if post.spec.stage == stage]
        if any(post.spec.forked for post in waiting):
            self._await_warm(until)
        for post in waiting:
            try:
                self._fill(post)
            except OSError as error:
                reason = f"could not be started ({error})"
                raise FleetStartError(post.spec.name, reason, post.spec.log_file, "") from error
        while waiting:
            if until():
                return False
            self._refuse_dead()
            waiting = [post for post in waiting if not post.spec.ready()]
            for post in waiting:
                self._refuse_late(post)
            if waiting:
                time.sleep(_POLL_SECONDS)
        # A process may answer its probe and then fall over what else it needs.
        self._refuse_dead()
        return True

    def _await_warm(self, until: Callable[[], bool]) -> None:
        """Wait until the warm parent has imported everything, or will not, or somebody wants everything stopped."""
        while self._warm is not None and self._warm.is_starting() and not until():
            time.sleep(_POLL_SECONDS)

    def _fill(self, post: _Post) -> None:
        # A Ctrl-C between the fork and the assignment would leave a child that nobody knows of.
        with interruptions_held():
            post.child = Child(post.spec, self._warm)
            self._watchdog.add(post.child.pid)
        post.has_lower_priority = post.spec.niceness == 0

    def _clear(self, post: _Post) -> None:
        """Leave nothing of the child of this post."""
        if post.child is not None:
            post.child.clear()
            self._watchdog.remove(post.child.pid)
            post.child = None

    def _refuse_dead(self) -> None:
        """Raise FleetStartError for a process, of this or a lower stage, that ended during the start."""
        for post in self._posts:
            child = post.child
            if child is not None and child.exited():
                child.clear()
                raise FleetStartError(
                    post.spec.name, f"{child.end} during the start", post.spec.log_file, child.last_lines
                )

    def _refuse_late(self, post: _Post) -> None:
        child = post.child
        assert child is not None
        if time.monotonic() - child.started > post.spec.ready_timeout:
            raise FleetStartError(
                post.spec.name,
                f"was not ready after {post.spec.ready_timeout:g} s",
                post.spec.log_file,
                child.last_lines,
            )

    def _tend(self, post: _Post, now: float) -> None:
        child = post.child
        if child is None:
            if now >= post.start_at:
                self._restart(post, now)
        elif child.exited():
            # Before its successor starts: the rest of its group would work beside it.
            self._clear(post)
            post.start_at = now + post.backoff.died(now, now - child.started)
        else:
            if now - child.started >= STEADY_AFTER:
                post.backoff.steady()
            if not post.has_lower_priority:
                post.has_lower_priority = child.lower_priority()

    def _restart(self, post: _Post, now: float) -> None:
        try:
            self._fill(post)
        except OSError:
            # Short of memory or processes, or the program is being replaced: the same as a death at once.
            post.start_at = now + post.backoff.died(now, 0.0)
        else:
            post.restarts += 1

    def _report(self) -> None:
        processes = self.processes
        if processes != self._reported:
            self._reported = processes
            self._on_change(processes)

    def _stop_stage(self, stage: int, latest: float, interrupt: SecondInterrupt) -> None:
        posts = [post for post in self._posts if post.spec.stage == stage and post.child is not None]
        began = time.monotonic()

        def kill_now(spec: ProcessSpec) -> bool:
            return interrupt.happened and not spec.keeps_data

        for post in posts:
            if post.child is not None and not kill_now(post.spec):
                post.child.signal(post.spec.stop_signal)
        while posts:
            now = time.monotonic()
            for post in posts:
                over = now >= min(began + post.spec.stop_timeout, latest)
                if post.child is None or over or kill_now(post.spec) or post.child.exited():
                    self._clear(post)
            posts = [post for post in posts if post.child is not None]
            time.sleep(_POLL_SECONDS if posts else 0)
