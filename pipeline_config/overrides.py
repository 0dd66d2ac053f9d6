"""What one source sets otherwise: groups of settings of which only the given keys count."""

from typing import Any, TypeVar

from pydantic import SerializerFunctionWrapHandler, model_serializer

from pipeline_config.base import StageConfig

Rules = TypeVar("Rules", bound=StageConfig)


class Overrides(StageConfig):
    """Groups in which one source differs; mixed into the model of all groups."""

    @model_serializer(mode="wrap")
    def _only_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the given keys only, so that what is written reads back as it was."""
        return {
            group: {key: value for key, value in handler(self)[group].items() if key in given}
            for group, given in self.given().items()
        }

    def given(self) -> dict[str, set[str]]:
        """The keys that were given, by group, in order of definition."""
        return {
            group: getattr(self, group).model_fields_set
            for group in type(self).model_fields
            if group in self.model_fields_set
        }

    def over(self, rules: Rules) -> Rules:
        """Return `rules` with the given keys replaced; groups that it has not are left out."""
        merged = rules.model_dump()
        for group, keys in self.given().items():
            if group not in merged:
                continue
            merged[group] |= {key: getattr(getattr(self, group), key) for key in keys}
        return type(rules).model_validate(merged)
