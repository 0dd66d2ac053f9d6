"""The report step as flows call it."""

from pipeline_config.report import ReportConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.session import Handle
from storage.steps import step


def _recipes(artifacts: dict[str, Handle], config: ReportConfig) -> dict[str, str]:
    """Counts are no content: a step can drop more and give the same bytes, and the report shows it.

    So the recipes of the inputs are in the key, too.
    """
    return {label: artifact.recipe for label, artifact in artifacts.items()}


@step("report", version="9", identity=_recipes)
def report(build: Build, artifacts: dict[str, ArtifactRef], config: ReportConfig) -> None:
    """The page, the summary and the results of a run; artifacts by run label (`fetch/docs`, …)."""
    from tasks.report.report import report as write

    write(build, artifacts, config)
