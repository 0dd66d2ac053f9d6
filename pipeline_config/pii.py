"""Settings of what is personal: what is looked for, and when a document has too much of it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline_config.base import StageConfig

PiiKind = Literal["email", "phone", "ip_address", "key", "card"]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class PiiRules(StageConfig):
    """What is replaced by a placeholder, such as <EMAIL>, wherever it stands."""

    enabled: bool = Field(default=True, description="whether anything is looked for at all")
    kinds: tuple[PiiKind, ...] = Field(
        default=("email", "phone", "ip_address", "key", "card"),
        description="email addresses; phone numbers; public IP addresses; secret keys of known "
        "forms; payment cards whose check digit is right",
    )
    phone_regions: tuple[Region, ...] = Field(
        default=("US",),
        description="countries whose numbers are found without +, by ISO 3166 code; numbers with + "
        "are found wherever they are from",
    )
    max_found: int | None = Field(
        default=None,
        ge=0,
        description="finds per document, at most; one with more is dropped; null: no limit",
    )
