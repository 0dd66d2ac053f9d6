"""`crawl2chat chat` and `crawl2chat report`: what a run is for."""

import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli.artifacts import copy_files, find_manifest
from flows.cli.common import DEFAULT_STORE, StoreOption, UserError, existing_store, stdout

if TYPE_CHECKING:
    from storage.store import Store
    from tasks.lm.talk import Talk

CURRENT_CHAT = "current/chat"


def report(
    run: Annotated[str, Parameter(help="Run id or its beginning; the latest if left out.")] = "",
    /,
    *,
    open_: Annotated[
        bool, Parameter(name="--open", negative="", help="Open it in the browser.")
    ] = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Print the path of a run's report: one HTML page that needs no network."""
    from flows.runner import export_report

    path = export_report(existing_store(store), run)
    if path is None:
        which = f"run {run}" if run else "the latest run"
        raise UserError(
            f"{which} has no report; `crawl2chat run` or `crawl2chat run evaluate` writes one"
        )
    stdout().print(str(path), soft_wrap=True)
    if open_:
        webbrowser.open(path.as_uri())


def chat(
    ref: Annotated[
        str, Parameter(help="A reference, a step such as `sft`, or the beginning of a recipe.")
    ] = CURRENT_CHAT,
    /,
    *,
    temperature: Annotated[
        float, Parameter(help="0: always the most likely word; more: more varied.")
    ] = 0.0,
    max_tokens: Annotated[int, Parameter(help="Longest answer, in tokens.")] = 128,
    seed: Annotated[int, Parameter(help="Of the random draws, when the temperature is not 0.")] = 0,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Talk to a chat model of the store. /new forgets the conversation, /exit or Ctrl-D ends."""
    if temperature < 0 or max_tokens < 1:
        raise UserError("--temperature must not be negative, --max-tokens at least 1")
    opened = existing_store(store)
    with tempfile.TemporaryDirectory(prefix="crawl2chat-") as folder:
        model = _model_folder(opened, ref, Path(folder))
        from tasks.lm.talk import Talk

        talk = Talk(model, temperature=temperature, max_tokens=max_tokens, seed=seed)
        _converse(talk)


def _model_folder(store: "Store", ref: str, folder: Path) -> Path:
    """The files of a chat model under their own names, as links where the store is local."""
    from storage.runs import read_reference

    if ref == CURRENT_CHAT and read_reference(store, CURRENT_CHAT) is None:
        raise UserError(f"no chat model in {store.url} yet; `crawl2chat run` makes one")
    manifest = find_manifest(store, ref)
    names = {entry.name for entry in manifest.files}
    if not {"config.json", "model.safetensors", "chat_template.jinja"} <= names:
        raise UserError(f"{ref} ({manifest.label}) is no chat model; try `sft` or current/chat")
    copy_files(store, manifest, folder)
    return folder


def _converse(talk: "Talk") -> None:
    interactive = sys.stdin.isatty()
    if interactive:
        print("/new forgets the conversation, /exit or Ctrl-D ends")
    while True:
        try:
            said = input("> " if interactive else "").strip()
        except (EOFError, KeyboardInterrupt):
            break
        if said in ("/exit", "/quit"):
            break
        if said == "/new":
            talk.forget()
        elif said:
            try:
                for piece in talk.say(said):
                    print(piece, end="", flush=True)
            except KeyboardInterrupt:  # enough of this answer
                pass
            print()
