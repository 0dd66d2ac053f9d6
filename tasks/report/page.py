"""Draws the page: Contents -> one HTML file without scripts, requests or outside parts.

Every expression in a template passes `neutralise` (engine's `finalize`) and is then escaped, so a
template cannot forget either. Only SVG made here and the style sheet are trusted markup.
"""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline_config.report import ReportConfig
from tasks.report import figures, headline
from tasks.report.charts import loss_chart
from tasks.report.contents import Contents, Training
from tasks.report.dots import accuracy_rows, bits_marks
from tasks.report.funnel import number_languages
from tasks.report.picture import color_of, picture_of
from tasks.report.picture_svg import draw
from tasks.report.safe_text import excerpt, neutralise, one_line, safe_href

TEMPLATES = Path(__file__).with_name("templates")
LANGUAGE_COLORS = 7  # classes l1 … of the style sheet; l0 is for all other languages
WIDE, NARROW = (860, 330), (360, 270)  # width, height of a chart in pixels
# The run's figures are filled in afterwards by `run_page`. The markers cannot occur in crawled
# text, because "<" is escaped there.
RUN_LINE_SLOT = ("<!-- run-line:begin -->", "<!-- run-line:end -->")
RUN_SLOT = ("<!-- run:begin -->", "<!-- run:end -->")

STEP_TITLES = {
    "fetch": "Crawl",
    "extract": "Text extraction",
    "read": "Reading",
    "score": "Scores",
    "decide": "Quality",
    "edit": "Edits",
    "dedup": "Duplicates",
    "substring": "Repeated spans",
    "decontaminate": "Decontamination",
    "tokenize": "Tokens",
    "write-instructions": "Instructions",
    "identify-classification": "Classification?",
    "write-instances": "Instances",
    "filter-instances": "Filters",
}


@cache
def environment() -> Environment:
    """The template engine with everything escaped and neutralised."""
    engine = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters |= {
        "count": figures.count,
        "short": figures.short,
        "share": figures.share,
        "size": figures.size,
        "decimal": figures.decimal,
        "things": figures.things,
        "duration": figures.duration,
        "excerpt": excerpt,
        "line": one_line,
        "href": safe_href,
        "percent": _percent,
    }
    return engine


def _finalize(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return neutralise(value)
    return value


def _percent(value: float, low: float, high: float) -> float:
    """Where `value` lies between two ends, in percent, never outside."""
    share = (value - low) / (high - low) if high > low else 0.0
    return round(100 * min(1.0, max(0.0, share)), 2)


def _sections(contents: Contents) -> list[dict[str, str]]:
    there = [
        ("picture", "The pipeline", bool(contents.funnels)),
        ("funnel", "What became of the documents", bool(contents.funnels)),
        ("examples", "Dropped and kept", bool(contents.examples)),
        ("classifiers", "Quality classifiers", bool(contents.classifiers)),
        ("duplicates", "Duplicates", contents.duplicates is not None),
        ("decontamination", "Evaluation sets", contents.decontamination is not None),
        ("tokens", "Tokens", contents.tokenizer is not None),
        ("mixture", "Mixture", bool(contents.mixture)),
        ("pretrain", "Pretraining", contents.pretrain is not None),
        ("bits", "Bits per byte", bool(contents.bits_per_byte)),
        ("instructions", "Instructions", contents.instructions is not None),
        ("sft", "Fine-tuning", contents.sft is not None),
        ("accuracy", "Accuracy", contents.accuracy is not None),
        ("samples", "Samples", bool(contents.samples)),
        ("run", "The run", True),
        ("settings", "Settings", bool(contents.settings)),
        ("provenance", "Where it all came from", bool(contents.provenance)),
    ]
    return [{"id": name, "title": title} for name, title, shown in there if shown]


def _charts(training: Training | None, name: str) -> dict[str, Markup] | None:
    if training is None:
        return None
    wide = loss_chart(training, *WIDE, name)
    return {"wide": wide, "narrow": loss_chart(training, *NARROW, name)}


def slot(markers: tuple[str, str], inside: str) -> Markup:
    """A place in the page that `run_page` fills."""
    return Markup(f"{markers[0]}{inside}{markers[1]}")


def draw_page(contents: Contents, config: ReportConfig) -> str:
    """The whole page."""
    engine = environment()
    picture = picture_of(contents)
    style = "\n".join(
        (TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "chart.css")
    )
    colors = {funnel.source: color_of(index) for index, funnel in enumerate(contents.funnels)}
    highest = [max(row.model, row.baseline) for row in contents.bits_per_byte]
    macros = engine.get_template("macros.html.jinja").make_module({"colors": colors})
    without_run = engine.get_template("run.html.jinja").render(run=None)
    return engine.get_template("page.html.jinja").render(
        contents=contents,
        config=config,
        colors=colors,
        style=Markup(style),
        lede=headline.lede(contents),
        trial=headline.trial(contents),
        tiles=headline.tiles(contents),
        verdicts=headline.verdicts(contents),
        sections=_sections(contents),
        picture=picture,
        picture_svg=draw(picture),
        step_titles=STEP_TITLES,
        language_numbers=number_languages(contents.languages, LANGUAGE_COLORS),
        pretrain_charts=_charts(contents.pretrain, "Pretraining"),
        sft_charts=_charts(contents.sft, "Fine-tuning"),
        bits_high=max(highest, default=1.0) * 1.08,
        accuracy_rows=accuracy_rows(contents.accuracy),
        bits_rows=[(row, bits_marks(row)) for row in contents.bits_per_byte],
        run_line_slot=slot(RUN_LINE_SLOT, ""),
        run_slot=slot(RUN_SLOT, without_run),
        m=macros,
    )
