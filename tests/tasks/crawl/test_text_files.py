from email import message_from_string
from importlib.metadata import distribution
from pathlib import Path

import pytest

from pipeline_config.sources import PackagesSource
from tasks.crawl.text_files import (
    UnreadableError,
    licence_of,
    package_documents,
    source_document,
    text_document,
)


def test_text_is_utf8_with_or_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffGrüße".encode())
    assert text_document(path, "u").text == "Grüße"
    path.write_bytes("Grüße".encode("latin-1"))
    with pytest.raises(UnreadableError, match="not_utf8"):
        text_document(path, "u")


def test_a_source_file_is_read_in_its_declared_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes("# -*- coding: latin-1 -*-\nname = 'Grüße'\n".encode("latin-1"))
    found = source_document(path, "pkg/sub/__init__.py")
    assert found.text == "# -*- coding: latin-1 -*-\nname = 'Grüße'\n"
    assert found.url == "python-stdlib:pkg/sub/__init__.py"
    assert found.metadata == {"module": "pkg.sub", "package": "pkg"}
    path.write_bytes(b"name = '\xff'\n")
    with pytest.raises(UnreadableError, match="not_utf8"):
        source_document(path, "a.py")


def test_a_packages_long_description_is_found() -> None:
    found = {
        document.metadata["package"]: document
        for document in package_documents(PackagesSource(kind="packages"))
    }
    pytest_page = found["pytest"]
    assert pytest_page.url == "https://pypi.org/project/pytest/"
    assert pytest_page.licence == "MIT"
    assert pytest_page.metadata["version"] == distribution("pytest").version
    assert "The ``pytest`` framework makes it easy" in pytest_page.text
    assert "Metadata-Version" not in pytest_page.text


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ("License-Expression: MIT\nLicense: other", "MIT"),
        ("License: BSD 3-Clause", "BSD 3-Clause"),
        (
            "License: Permission is hereby granted, free of charge, to any person and machine\n"
            "Classifier: License :: OSI Approved :: MIT License",
            "MIT License",
        ),
        ("Name: nothing", ""),
    ],
)
def test_the_licence_is_read_in_the_newest_way_it_is_told(headers: str, licence: str) -> None:
    assert licence_of(message_from_string(headers + "\n\nbody")) == licence
