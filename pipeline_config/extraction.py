"""Settings of extraction: how the text of a page is found. A source may differ, key by key."""

from typing import Any, Literal, TypeVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from pipeline_config.base import StageConfig

Settings = TypeVar("Settings", bound=StageConfig)


class GivenKeys(StageConfig):
    """What one source sets otherwise: only the keys that are given count; mixed into settings."""

    @model_serializer(mode="wrap")
    def _only_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the given keys only, so that what is written reads back as it was."""
        return {key: value for key, value in handler(self).items() if key in self.model_fields_set}

    def over(self, settings: Settings) -> Settings:
        """Return `settings` with the given keys replaced."""
        given = {key: getattr(self, key) for key in self.model_fields_set}
        return type(settings).model_validate(dict(settings) | given)


class ExtractionConfig(StageConfig):
    """How the main text of an HTML page is found."""

    engine: Literal["trafilatura", "resiliparse"] = Field(
        default="trafilatura",
        description="library that separates the text from the page around it. trafilatura: "
        "quality, F1 .93 on its evaluation pages; resiliparse: 7 times as fast, F1 .87",
    )
    favour: Literal["balance", "precision", "recall"] = Field(
        default="balance",
        description="precision: rather too little text; recall: rather too much, with resiliparse "
        "all that is visible",
    )
    fast: bool = Field(
        default=True,
        description="trafilatura without a second opinion of other extractors: 1.4 times faster, "
        "and F1 .931 for .932 on its own evaluation pages",
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


class ExtractionOverrides(ExtractionConfig, GivenKeys):
    """In what the extraction of one source differs."""
