"""Settings of the mixture stage: how much of the training budget each source gets."""

from typing import Literal

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig


class MixtureConfig(StageConfig):
    """How the sources are weighted against each other."""

    method: Literal["natural", "temperature", "fixed"] = Field(
        default="natural",
        description="natural: by tokens; temperature: by tokens to the power 1/temperature; fixed: "
        "as `weights` says",
    )
    temperature: float = Field(
        default=3.33,
        ge=1,
        le=1000,
        description="1 is natural, large is uniform (mT5: 1/0.3 = 3.33); used by temperature only",
    )
    weights: dict[str, float] = Field(
        default={},
        description="source -> its share of the training tokens, in any unit: they are divided by "
        "their sum; every source must be named, 0 leaves one out; used by fixed only",
    )
    max_epochs: float = Field(
        default=4.0,
        gt=0,
        description="passes over one source beyond which a weight is reported as a warning "
        "(Muennighoff et al. 2023: up to 4 are nearly as good as new text)",
    )

    @model_validator(mode="after")
    def _check_weights(self) -> "MixtureConfig":
        negative = {name: weight for name, weight in self.weights.items() if weight < 0}
        if negative:
            name, weight = min(negative.items())
            raise ValueError(f"the weight of {name} is {weight}; weights are 0 or more")
        if self.method == "fixed" and not sum(self.weights.values()) > 0:
            raise ValueError(
                "method fixed needs a weight for every source, such as weights: {docs: 3, code: 1}"
            )
        return self
