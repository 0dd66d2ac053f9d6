"""The worked examples in the docstrings of the crawl stage."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "addresses",
        "columns",
        "document_tables",
        "documents",
        "http_body",
        "inputs",
        "pydoc_pages",
        "scope",
    ],
)
def test_the_examples_in_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"tasks.crawl.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
