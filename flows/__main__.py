"""The command line: `crawl2chat run`, `plan`, `up`, `runs`, `artifacts`, `chat`, `report`."""

import sys
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App, CycloptsError
from rich.console import Console

from flows.cli import artifacts, models, run, runs, up
from flows.cli.common import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, RunError, UserError


def _examples(*lines: str) -> str:
    return "Examples:\n\n" + "\n\n".join(f"    crawl2chat {line}" for line in lines)


def _version() -> str:
    try:
        return version("crawl2chat")
    except PackageNotFoundError:
        return "not installed"


def build_app() -> App:
    """All commands and their help."""
    app = App(
        name="crawl2chat",
        help="From a web crawl to a chat model: one cached, scheduled, observable pipeline.",
        help_epilogue=_examples(
            "run                     the demo: crawl, train, and chat with the result",
            "plan --set dedup.num_bands=20",
            "up                      the dashboard, with every flow ready to run",
        ),
        version=_version,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    app.command(
        run.run,
        help_epilogue=_examples(
            "run",
            "run refresh-corpus --refresh",
            "run --preset my.yaml --set quality.gopher_quality.min_words=20 --limit 100",
        ),
    )
    app.command(
        run.plan,
        help_epilogue=_examples("plan", "plan evaluate --set sft.num_steps=300 --json"),
    )
    app.command(
        up.up,
        help_epilogue=_examples("up", "up --preset small --port 4300 --store s3://bucket/corpus"),
    )
    app.command(_runs_app())
    app.command(_artifacts_app())
    app.command(
        models.chat, help_epilogue=_examples("chat", "chat sft --temperature 0.7 --max-tokens 200")
    )
    app.command(models.report, help_epilogue=_examples("report", "report 20261121-0345 --open"))
    return app


def _runs_app() -> App:
    app = App(
        name="runs",
        help="What ran, what it did, and how two runs differ.",
        help_epilogue=_examples(
            "runs list",
            "runs show                    the latest run, step by step",
            "runs diff 20261120-1811      what the latest one did otherwise",
        ),
    )
    app.command(runs.list_runs, name="list", help_epilogue=_examples("runs list --json"))
    app.command(
        runs.show_run,
        name="show",
        help_epilogue=_examples("runs show", "runs show 20261121-0345 --json"),
    )
    app.command(
        runs.diff_runs,
        name="diff",
        help_epilogue=_examples("runs diff 20261120-1811", "runs diff 20261120-18 20261121-03"),
    )
    return app


def _artifacts_app() -> App:
    app = App(
        name="artifacts",
        help="What is in the store, whether it is whole, and out of it.",
        help_epilogue=_examples(
            "artifacts list",
            "artifacts show dedup",
            "artifacts export current/corpus ./my-corpus",
        ),
    )
    app.command(
        artifacts.list_artifacts,
        name="list",
        help_epilogue=_examples("artifacts list", "artifacts list extract --json"),
    )
    app.command(
        artifacts.show_artifact,
        name="show",
        help_epilogue=_examples("artifacts show dedup", "artifacts show current/chat --json"),
    )
    app.command(
        artifacts.export_artifact,
        name="export",
        help_epilogue=_examples(
            "artifacts export current/corpus ./my-corpus",
            "artifacts export current/chat ./my-model",
        ),
    )
    app.command(
        artifacts.verify_artifacts, name="verify", help_epilogue=_examples("artifacts verify")
    )
    app.command(
        artifacts.collect_garbage,
        name="gc",
        help_epilogue=_examples("artifacts gc --dry-run", "artifacts gc --keep-runs 3"),
    )
    return app


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0, 1 for a failed run, 2 for a wrong request."""
    try:
        code = build_app()(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as error:
        return _refuse(" ".join(str(error).split()))
    except UserError as error:
        return _refuse(str(error))
    except RunError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        if not _is_told_in_one_line(error):
            raise
        return _refuse(str(error))
    return code if isinstance(code, int) else 0


def _is_told_in_one_line(error: Exception) -> bool:
    """Whether the message of an error of the store or the server says all that a user needs."""
    from flows.server import ServerError
    from storage.store import StoreError

    return isinstance(error, ServerError | StoreError)


def _refuse(message: str) -> int:
    console = Console(stderr=True, highlight=False)
    for line in message.splitlines():
        console.print(f"crawl2chat: {line}", soft_wrap=True, markup=False)
    return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main())
