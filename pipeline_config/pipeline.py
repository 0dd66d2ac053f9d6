"""The whole configuration: one field per stage in pipeline order, and the checks across stages."""

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig
from pipeline_config.crawl import CrawlConfig
from pipeline_config.decontamination import DecontaminationConfig
from pipeline_config.dedup import DedupConfig
from pipeline_config.edits import EditConfig
from pipeline_config.evaluation import EvaluationConfig
from pipeline_config.instructions import InstructionsConfig
from pipeline_config.mistakes import did_you_mean
from pipeline_config.mixture import MixtureConfig
from pipeline_config.pretrain import PretrainConfig
from pipeline_config.promotion import PromotionConfig
from pipeline_config.quality import QualityConfig
from pipeline_config.report import ReportConfig
from pipeline_config.schedules import FlowName, Schedule
from pipeline_config.sft import SftConfig
from pipeline_config.signals import SIGNALS
from pipeline_config.teacher import TeacherConfig
from pipeline_config.tokenization import TokenizationConfig


class PipelineConfig(StageConfig):
    """Every setting of every stage; presets hold only what differs from these defaults."""

    crawl: CrawlConfig
    quality: QualityConfig = QualityConfig()
    edits: EditConfig = EditConfig()
    dedup: DedupConfig = DedupConfig()
    decontamination: DecontaminationConfig = DecontaminationConfig()
    tokenization: TokenizationConfig = TokenizationConfig()
    mixture: MixtureConfig = MixtureConfig()
    pretrain: PretrainConfig = PretrainConfig()
    teacher: TeacherConfig = TeacherConfig()
    instructions: InstructionsConfig = InstructionsConfig()
    sft: SftConfig = SftConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    report: ReportConfig = ReportConfig()
    promotion: PromotionConfig = PromotionConfig()
    schedules: dict[FlowName, Schedule] = Field(
        default_factory=dict, description="flows that run by themselves while `up` runs"
    )

    @model_validator(mode="after")
    def _check_source_names(self) -> "PipelineConfig":
        """Settings per source must name a source of the crawl."""
        named = {
            "quality.sources": set(self.quality.sources),
            "edits.sources": set(self.edits.sources),
            "quality.classifiers": {
                source
                for classifier in self.quality.classifiers.values()
                for source in classifier.sources
            },
            "mixture.weights": set(self.mixture.weights),
            "dedup.preferred_sources": set(self.dedup.preferred_sources),
            "dedup.substring.preferred_sources": set(self.dedup.substring.preferred_sources),
            "dedup.substring.spared_sources": set(self.dedup.substring.spared_sources),
            "decontamination.sources": set(self.decontamination.sources),
        }
        for key, names in named.items():
            unknown = sorted(names - self.crawl.sources.keys())
            if unknown:
                known = ", ".join(sorted(self.crawl.sources))
                raise ValueError(
                    f"{key} names {unknown[0]!r}, which is no source; use one of {known}"
                )
        return self

    @model_validator(mode="after")
    def _check_keep_score(self) -> "PipelineConfig":
        signal, name = self.dedup.keep_score, self.dedup.keep_classifier
        if name and name not in self.quality.classifiers:
            known = ", ".join(sorted(self.quality.classifiers)) or "none"
            raise ValueError(
                f"dedup.keep_score is {signal!r}; quality.classifiers has no {name!r}; there are: "
                f"{known}"
            )
        if signal and not name and signal not in SIGNALS:
            hint = did_you_mean(signal, list(SIGNALS)) or f"; there are: {', '.join(SIGNALS)}"
            raise ValueError(
                f"dedup.keep_score is {signal!r}, which quality does not measure{hint}"
            )
        return self
