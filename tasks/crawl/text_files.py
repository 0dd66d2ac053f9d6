"""Files that hold one document each: plain text, HTML pages, source files, package readmes."""

import tokenize
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from io import BytesIO
from pathlib import Path

from pipeline_config.sources import PackagesSource
from tasks.crawl.documents import Document
from tasks.crawl.inputs import metadata_text, module_name, packages

MAX_LICENCE_CHARS = 60  # some packages put the licence's whole text where its name belongs
LICENCE_CLASSIFIER = "License :: "


class UnreadableError(ValueError):
    """A file holds no text; the message is the reason that it is counted under."""


def text_document(path: Path, url: str) -> Document:
    """A UTF-8 text file, with or without a byte order mark.

    Raises:
        UnreadableError: `not_utf8`.
    """
    try:
        return Document(path.read_bytes().decode("utf-8-sig"), url)
    except UnicodeDecodeError:
        raise UnreadableError("not_utf8") from None


def source_document(path: Path, name: str) -> Document:
    """A Python source file in its declared encoding, with its module in the metadata.

    Raises:
        UnreadableError: `not_utf8`, where that is the declared encoding and it is not so.
    """
    content = path.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        raise UnreadableError("not_utf8") from None
    module = module_name(name)
    return Document(
        text,
        f"python-stdlib:{name}",
        metadata={"module": module, "package": module.partition(".")[0]},
    )


def package_documents(source: PackagesSource) -> Iterator[Document]:
    """The long description of each installed package, as it is on the package index."""
    for name, distribution in packages(source):
        about = message_from_string(metadata_text(distribution))
        yield Document(
            text=str(about.get_payload() or about.get("Description") or ""),
            url=f"https://pypi.org/project/{name}/",
            licence=licence_of(about),
            metadata={
                "package": name,
                "version": str(about.get("Version", "")),
                "title": " ".join(str(about.get("Summary", name)).split()),
            },
        )


def licence_of(about: Message) -> str:
    """The licence that a package's metadata names, in the newest of the three ways to say it."""
    if expression := about.get("License-Expression"):
        return str(expression)
    free_text = str(about.get("License") or "").strip()
    if free_text and len(free_text) <= MAX_LICENCE_CHARS and "\n" not in free_text:
        return free_text
    classifiers = [
        value.rpartition(" :: ")[2]
        for value in map(str, about.get_all("Classifier") or [])
        if value.startswith(LICENCE_CLASSIFIER)
    ]
    return " OR ".join(classifiers)
