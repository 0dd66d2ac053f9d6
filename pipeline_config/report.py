"""What the report shows of a run, and how much of it."""

from pydantic import Field

from pipeline_config.base import StageConfig


class ReportConfig(StageConfig):
    """The size of the report; every number on it is exact, only examples and curves are cut."""

    title: str = Field(
        default="",
        max_length=120,
        description="the page's heading; empty: named after what was built",
    )
    examples_per_reason: int = Field(
        default=3, ge=0, le=50, description="documents shown per source and drop reason"
    )
    excerpt_characters: int = Field(
        default=420, ge=40, le=5000, description="characters shown of a document or an answer"
    )
    duplicate_groups: int = Field(
        default=8, ge=0, le=200, description="kept documents shown with their duplicates"
    )
    group_members: int = Field(
        default=6, ge=3, le=100, description="documents listed in such a group"
    )
    languages: int = Field(
        default=5, ge=1, le=30, description="languages named per source; the rest is `other`"
    )
    rejected_per_reason: int = Field(
        default=3, ge=0, le=50, description="rejected instructions shown per reason"
    )
    samples: int = Field(
        default=12,
        ge=0,
        le=200,
        description="samples of the model shown, the first as written",
    )
    curve_points: int = Field(
        default=300, ge=20, le=5000, description="points drawn per training curve"
    )
