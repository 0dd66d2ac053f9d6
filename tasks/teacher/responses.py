"""Every answer that was paid for, by content key, in one SQLite file.

An answer is committed before it is used, so a killed run asks nothing twice and replaying a run
needs no network. Every attempt is on record before it is sent, with its worst-case cost until the
real one is known, under the scope (the recipe of a step) that made it: a resumed step keeps
counting against the same budget, also for what was in flight when it died.
"""

import json
import sqlite3
import threading
from dataclasses import asdict
from pathlib import Path

from tasks.teacher.exchange import Request, Response

_SCHEMA = """
CREATE TABLE IF NOT EXISTS responses (
    key TEXT PRIMARY KEY, purpose TEXT NOT NULL, request TEXT NOT NULL,
    text TEXT NOT NULL, finish_reason TEXT NOT NULL, model TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, raw TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY, scope TEXT NOT NULL, key TEXT NOT NULL, outcome TEXT NOT NULL,
    tokens INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_by_scope ON attempts (scope);
"""


class ResponseStore:
    """Answers and attempts on disk; safe for the threads of one process and for several."""

    def __init__(self, path: Path, scope: str) -> None:
        """Opens or creates the file at `path`; attempts count under `scope`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._scope = scope
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=60, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        with self._db:
            self._db.executescript(_SCHEMA)

    def get(self, key: str) -> Response | None:
        """The stored answer to a question, if there is one."""
        with self._lock:
            row = self._db.execute(
                "SELECT text, finish_reason, model, prompt_tokens, completion_tokens "
                "FROM responses WHERE key = ?",
                (key,),
            ).fetchone()
        return None if row is None else Response(key, *row)

    def begin(self, key: str, tokens: int) -> int:
        """Records an attempt that is about to be sent and may cost up to `tokens`."""
        with self._lock, self._db:
            cursor = self._db.execute(
                "INSERT INTO attempts (scope, key, outcome, tokens) VALUES (?, ?, 'in flight', ?)",
                (self._scope, key, tokens),
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def fail(self, attempt: int, outcome: str, tokens: int) -> None:
        """Records that an attempt brought no answer, and what it cost nevertheless."""
        with self._lock, self._db:
            self._finish(attempt, outcome, tokens)

    def put(self, attempt: int, request: Request, response: Response, raw: str) -> None:
        """Stores an answer and closes the attempt that got it, in one commit."""
        asked = json.dumps([asdict(turn) for turn in request.messages], ensure_ascii=False)
        row = (
            response.key,
            request.purpose,
            asked,
            response.text,
            response.finish_reason,
            response.model,
            response.prompt_tokens,
            response.completion_tokens,
            raw,
        )
        with self._lock, self._db:
            self._db.execute(
                "INSERT OR IGNORE INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row
            )
            self._finish(attempt, "answered", response.prompt_tokens + response.completion_tokens)

    def spent(self) -> tuple[int, int]:
        """Requests sent and tokens used so far under this store's scope."""
        with self._lock:
            requests, tokens = self._db.execute(
                "SELECT COUNT(*), COALESCE(SUM(tokens), 0) FROM attempts WHERE scope = ?",
                (self._scope,),
            ).fetchone()
        return requests, tokens

    def outcomes(self) -> dict[str, int]:
        """How many attempts of this scope ended in each way."""
        with self._lock:
            rows = self._db.execute(
                "SELECT outcome, COUNT(*) FROM attempts WHERE scope = ? "
                "GROUP BY outcome ORDER BY outcome",
                (self._scope,),
            ).fetchall()
        return dict(rows)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _finish(self, attempt: int, outcome: str, tokens: int) -> None:
        self._db.execute(
            "UPDATE attempts SET outcome = ?, tokens = ? WHERE id = ?", (outcome, tokens, attempt)
        )
