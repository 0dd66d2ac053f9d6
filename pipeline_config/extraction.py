"""Settings of extraction: how the text of a page is found."""

from typing import Literal

from pydantic import Field

from pipeline_config.base import StageConfig


class ExtractionConfig(StageConfig):
    """How the main text of an HTML page is found."""

    engine: Literal["trafilatura"] = Field(
        default="trafilatura", description="library that separates the text from the page around it"
    )
    favour: Literal["balance", "precision", "recall"] = Field(
        default="balance", description="precision: rather too little text; recall: rather too much"
    )
    fast: bool = Field(
        default=True,
        description="no second opinion of other extractors: 1.4 times faster, and F1 .931 for .932 "
        "on trafilatura's own evaluation pages",
    )
    tables: bool = Field(default=True, description="keep the text of tables")
    comments: bool = Field(default=False, description="keep readers' comments below an article")
    max_page_bytes: int = Field(
        default=10_000_000, ge=1_000, description="bytes; longer pages are dropped as `too_large`"
    )
    max_page_seconds: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="seconds of one page; slower pages are dropped as `timeout`",
    )
