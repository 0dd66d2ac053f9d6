"""`crawl2chat artifacts`: what is in the store, whether it is whole, and out of it."""

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli.common import (
    DEFAULT_STORE,
    EXIT_FAILED,
    JsonOption,
    StoreOption,
    UserError,
    existing_store,
    print_json,
    print_table,
    size,
    stdout,
)

if TYPE_CHECKING:
    from storage.artifact import Manifest
    from storage.store import Store

RefArgument = Annotated[
    str,
    Parameter(
        help="A reference (current/chat), a step (extract/docs: its newest artifact), or the "
        "beginning of a recipe."
    ),
]


def list_artifacts(
    step: Annotated[str, Parameter(help="Only artifacts whose name begins with this.")] = "",
    /,
    *,
    json: JsonOption = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """List the artifacts of a store, the newest last."""
    from storage.runs import list_references

    opened = existing_store(store)
    manifests = sorted(
        (found for _, found in opened.all_manifests() if found.label.startswith(step)),
        key=lambda found: (found.created_at, found.label),
    )
    names = {ref.artifact.recipe: name for name, ref in list_references(opened).items()}
    if json:
        print_json(
            [
                found.ref.model_dump()
                | {
                    "label": found.label,
                    "created_at": found.created_at,
                    "seconds": found.seconds,
                    "reference": names.get(found.recipe, ""),
                }
                for found in manifests
            ]
        )
        return
    print_table(
        ["step", "recipe", ">rows", ">size", "built", "reference"],
        [
            (
                found.label,
                found.recipe[:12],
                f"{found.ref.rows:,}" if found.ref.rows else "",
                size(found.ref.bytes),
                found.created_at.replace("T", " ").removesuffix("+00:00"),
                names.get(found.recipe, ""),
            )
            for found in manifests
        ],
    )


def show_artifact(
    ref: RefArgument, /, *, json: JsonOption = False, store: StoreOption = DEFAULT_STORE
) -> None:
    """Show one artifact: what it was made from, its files, and what was counted."""
    from flows.words import figures

    found = find_manifest(existing_store(store), ref)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    out = stdout()
    out.print(f"[bold]{found.label}[/]  version {found.version}  built {found.created_at}")
    out.print(f"recipe {found.recipe}\ncontent {found.digest}\n{found.counts}", soft_wrap=True)
    for name, told in figures(found.counts.extra):
        out.print(f"{name}: {told}", soft_wrap=True, markup=False)
    out.print()
    print_table(
        ["file", ">rows", ">size", "blob"],
        [
            (
                entry.name,
                f"{entry.rows:,}" if entry.rows else "",
                size(entry.bytes),
                entry.blob[:12],
            )
            for entry in found.files
        ],
    )


def export_artifact(
    ref: RefArgument,
    folder: Annotated[Path, Parameter(help="A new or empty folder.")],
    /,
    *,
    link: Annotated[
        bool,
        Parameter(
            negative="",
            help="Hard links instead of copies: no space, but who edits a file damages the store.",
        ),
    ] = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Copy an artifact's files to a folder; a model becomes one that transformers loads."""
    opened = existing_store(store)
    found = find_manifest(opened, ref)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not empty; name a new folder")
    try:
        copy_files(opened, found, folder, link=link)
    except OSError as error:
        raise UserError(f"cannot export to {folder}: {error}") from None
    stdout().print(f"{len(found.files)} files of {found.label} in {folder}", soft_wrap=True)


def verify_artifacts(*, json: JsonOption = False, store: StoreOption = DEFAULT_STORE) -> int:
    """Re-hash every file of the store; broken ones are withdrawn, and rebuilt by the next run.

    The exit code is 1 when something is broken.
    """
    from storage.maintenance import verify

    opened = existing_store(store)
    with stdout().status("verifying") if not json else _nothing():
        result = verify(opened)
    if json:
        print_json(result.model_dump())
    else:
        for broken in result.broken:
            users = ", ".join(broken.used_by) or "no artifact"
            stdout().print(f"{broken.blob[:12]} {broken.problem}; used by {users}", soft_wrap=True)
        verdict = f"{len(result.broken)} broken" if result.broken else "all whole"
        stdout().print(f"{result.blobs:,} files, {size(result.bytes)}: {verdict}")
    return EXIT_FAILED if result.broken else 0


def collect_garbage(
    *,
    keep_runs: Annotated[int, Parameter(help="Keep what this many latest runs used.")] = 10,
    min_age_hours: Annotated[float, Parameter(help="Touch nothing younger.")] = 24.0,
    dry_run: Annotated[bool, Parameter(negative="", help="Only say what would go.")] = False,
    json: JsonOption = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Remove what neither recent runs nor references reach."""
    from storage.maintenance import gc

    if keep_runs < 0 or min_age_hours < 0:
        raise UserError("--keep-runs and --min-age-hours must not be negative")
    opened = existing_store(store)
    result = gc(opened, keep_runs=keep_runs, min_age_hours=min_age_hours, dry_run=dry_run)
    if json:
        print_json(result.model_dump())
        return
    word = "would remove" if dry_run else "removed"
    stdout().print(
        f"{word} {result.manifests:,} artifacts and {result.blobs:,} files, {size(result.bytes)}"
    )


def find_manifest(store: "Store", name: str) -> "Manifest":
    """The artifact that a reference, a step's label or the beginning of a recipe names.

    Raises:
        UserError: when nothing or more than one artifact is meant.
    """
    from pipeline_config.mistakes import did_you_mean
    from storage.runs import list_references

    references = list_references(store)
    if name in references:
        return store.manifest_of(references[name].artifact)
    manifests = [found for _, found in store.all_manifests()]
    labelled = [found for found in manifests if found.label == name]
    if labelled:
        return max(labelled, key=lambda found: found.created_at)
    begun = {found.recipe: found for found in manifests if found.recipe.startswith(name)}
    if len(begun) == 1 and len(name) >= 4:
        return next(iter(begun.values()))
    if len(begun) > 1 and len(name) >= 4:
        raise UserError(f"{name!r} begins {len(begun)} recipes; give more of it")
    known = [*references, *{found.label for found in manifests}]
    hint = did_you_mean(name, known) or "; `crawl2chat artifacts list` shows them all"
    raise UserError(f"no artifact {name!r} in {store.url}{hint}")


def copy_files(store: "Store", manifest: "Manifest", folder: Path, *, link: bool = False) -> None:
    """Puts an artifact's files into `folder`, under their own names."""
    for entry in manifest.files:
        target = folder / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = store.blob_path(entry)
        if link:
            target.hardlink_to(source)
        else:
            shutil.copyfile(source, target)


def _nothing() -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()
