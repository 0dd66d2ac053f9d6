"""The step that ends the corpus."""

from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step


@step("assemble", version="2")
def assemble(
    build: Build,
    documents: dict[str, ArtifactRef],
    decisions: list[dict[str, ArtifactRef] | ArtifactRef],
) -> None:
    """The kept documents of all sources with their edits applied.

    `documents` are keyed by source; `decisions` come in the order they were made, each an artifact
    per source or one for all of them.
    """
    from tasks.corpus.assemble import assemble_corpus

    assemble_corpus(build, documents, decisions)
