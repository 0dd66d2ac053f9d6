"""Runs shards on this machine's cores, in processes that never outlive their parent.

Forkserver, because a fork after torch was used deadlocks (measured: a matmul in the child hung).
The parent's `__main__` is hidden while workers start: they would import it again, and a served run
is `python -m prefect.engine`, which costs seconds and 200 MB in every worker. Each worker watches
its parent and ends with it, since a killed parent would leave workers holding its pipes for ever.
"""

import contextlib
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

MAX_CRASHES = 3
_main_lock = threading.Lock()


class WorkerCrashError(Exception):
    """Worker processes died again and again; the message names the task they died in."""


@contextlib.contextmanager
def _hidden_main() -> Iterator[None]:
    main: Any = sys.modules["__main__"]
    with _main_lock:
        names = [name for name in ("__spec__", "__file__") if name in vars(main)]
        saved = {name: getattr(main, name) for name in names}
        main.__spec__ = None
        if "__file__" in saved:
            del main.__file__
        try:
            yield
        finally:
            for name, value in saved.items():
                setattr(main, name, value)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run_in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Generator[tuple[int, Result], None, None]:
    """Yields (index, result) as tasks finish; two tasks per worker are in flight.

    Closing the generator stops feeding and waits for what is in flight. After two crashes the
    rest runs in a single process, so that the culprit has a name.

    Raises:
        WorkerCrashError: when workers died `MAX_CRASHES` times.
    """
    pending = list(range(len(tasks)))
    crashes = 0
    while pending:
        flying: dict[Future[Result], int] = {}
        size = 1 if crashes >= 2 else min(workers, len(pending))
        pool = _pool(size)
        try:
            todo = iter(list(pending))
            _feed(pool, function, tasks, todo, flying, 2 * size if crashes < 2 else 1)
            while flying:
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=flying.__getitem__):
                    result = future.result()
                    index = flying.pop(future)
                    pending.remove(index)
                    yield index, result
                    _feed(pool, function, tasks, todo, flying, 1)
        except BrokenProcessPool:
            crashes += 1
            if crashes >= MAX_CRASHES:
                suspects = [str(tasks[index]) for index in sorted(flying.values())]
                raise WorkerCrashError(
                    f"worker processes died {crashes} times, the last time in {suspects[0]}; "
                    "out of memory, or a crash in native code?"
                ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("forkserver")
    # Once, in the process that workers are forks of: numba alone is 0.2 s in each of them.
    context.set_forkserver_preload(["storage.shards", "numba"])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _feed(
    pool: ProcessPoolExecutor,
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    todo: Iterator[int],
    flying: dict[Future[Result], int],
    number: int,
) -> None:
    with _hidden_main():
        for index in [index for _, index in zip(range(number), todo, strict=False)]:
            flying[pool.submit(function, tasks[index])] = index
