"""The first screen in words and figures: what was built, from what, and how good it is."""

from dataclasses import dataclass

from tasks.report.contents import Accuracy, Contents, FamilyAccuracy
from tasks.report.figures import NOTHING, count, decimal, share, short, things

# What is said of that which was asked for and gave no document, by what a crawl counts.
BESIDE = {"link": "gave no page", "listed page": "left out"}
STANDARD_ERRORS = 2.0  # a difference counts when it exceeds two standard errors


@dataclass(frozen=True, slots=True)
class Tile:
    """One key figure."""

    figure: str
    caption: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One sentence on whether something worked."""

    good: bool
    text: str


def title(contents: Contents) -> str:
    """The heading of a report that was given none."""
    if contents.sft is not None or contents.accuracy is not None:
        return "From a crawl to a chat model"
    if contents.pretrain is not None:
        return "From a crawl to a base model"
    return "From a crawl to a clean corpus"


def trial(contents: Contents) -> str:
    """That the report is of a trial, which takes only some documents of each source."""
    limit = contents.trial
    return f"Trial: at most {things(limit, 'document')} per source" if limit else ""


def lede(contents: Contents) -> str:
    """The report in one sentence."""
    found = sum(funnel.documents_in for funnel in contents.funnels)
    kept = sum(funnel.documents_out for funnel in contents.funnels)
    sources = len(contents.funnels)
    corpus = (
        f"{count(kept)} documents kept of {count(found)} found in {things(sources, 'source')}"
        if sources
        else ""
    )
    if aside := ", ".join(beside(contents)):
        corpus += f" ({aside})"
    if contents.pretrain is None:
        return corpus and f"A corpus: {corpus}."
    size = short(contents.pretrain.parameters)
    kind = "chat model" if contents.sft else "base model"
    made = f"A {kind} of {size} parameters, pretrained on {short(contents.pretrain.tokens)} tokens"
    made += f": {corpus}" if corpus else ""
    if contents.instructions is not None:
        train = dict(contents.instructions.splits).get("train", 0)
        made += f"; fine-tuned on {count(train)} conversations"
    return f"{made}."


def beside(contents: Contents) -> list[str]:
    """What the crawls asked for beside the documents: `1,252 links gave no page`."""
    steps = [step for funnel in contents.funnels for step in funnel.steps]
    found = [
        (sum(step.num_dropped for step in steps if step.unit == unit), unit, how)
        for unit, how in BESIDE.items()
    ]
    found.append((sum(step.kept for step in steps if step.unit == "file"), "file", "fetched"))
    return [f"{things(number, unit)} {how}" for number, unit, how in found if number]


def tiles(contents: Contents) -> list[Tile]:
    """The key figures, in the order of the pipeline."""
    found = [_documents(contents), _duplicates(contents), _tokens(contents), _bits(contents)]
    found += [_accuracy(contents), _control(contents)]
    return [tile for tile in found if tile is not None]


def verdicts(contents: Contents) -> list[Verdict]:
    """What the scores say, each against its own baseline."""
    found = []
    if contents.bits_per_byte:
        rows = contents.bits_per_byte
        below = sum(row.model < row.baseline for row in rows)
        where = "every source" if below == len(rows) else f"{below} of {len(rows)} sources"
        text = f"Held-out bits per byte below the bigram model's on {where}"
        found.append(Verdict(below == len(rows), text))
    if contents.accuracy is not None:
        found += _accuracy_verdicts(contents.accuracy)
    return found


def beats_baseline(row: FamilyAccuracy, standard_errors: float = STANDARD_ERRORS) -> bool:
    """Whether the accuracy after fine-tuning lies clearly above the best baseline."""
    return row.after.value - row.baseline > standard_errors * row.after.error


def at_chance(control: FamilyAccuracy) -> bool:
    """Whether the control does not beat its baseline: it may be worse, never clearly better."""
    return not beats_baseline(control)


def _accuracy_verdicts(accuracy: Accuracy) -> list[Verdict]:
    better = sum(beats_baseline(row) for row in accuracy.families)
    total = len(accuracy.families)
    overall = accuracy.overall
    found = []
    if total:
        text = f"Accuracy above the best baseline by 2 standard errors in {better} of "
        text += things(total, "family", "families")
        found.append(Verdict(2 * better >= total, text))
    margin = overall.after.value - overall.baseline
    errors = f" ({decimal(margin / overall.after.error, 1)} s.e.)" if overall.after.error else ""
    where = "over" if margin >= 0 else "below"
    above = f"{decimal(100 * abs(margin), 1)} points {where} the best baselines overall{errors}"
    found.append(Verdict(beats_baseline(overall, 3.0), above))
    if accuracy.control is not None:
        chance = at_chance(accuracy.control)
        state = "at chance, as it must be" if chance else "above chance: something leaks"
        found.append(Verdict(chance, f"The control with shuffled passages is {state}"))
    return found


def _documents(contents: Contents) -> Tile | None:
    if not contents.funnels:
        return None
    found = sum(funnel.documents_in for funnel in contents.funnels)
    kept = sum(funnel.documents_out for funnel in contents.funnels)
    return Tile(count(kept), "documents", f"{share(kept, found)} of {count(found)} found")


def _duplicates(contents: Contents) -> Tile | None:
    if contents.duplicates is None:
        return None
    groups = things(contents.duplicates.groups, "document")
    return Tile(count(contents.duplicates.dropped), "duplicates", f"of {groups} that stay")


def _tokens(contents: Contents) -> Tile | None:
    if contents.tokenizer is None:
        return None
    sources = contents.tokenizer.sources
    tokens = sum(row.train_tokens + row.heldout_tokens for row in sources)
    text_bytes = sum(row.text_bytes for row in sources)
    rate = decimal(text_bytes / tokens, 2) if tokens else NOTHING
    return Tile(short(tokens), "tokens", f"{rate} bytes per token")


def _bits(contents: Contents) -> Tile | None:
    rows = contents.bits_per_byte
    total = sum(row.text_bytes for row in rows)
    if not total:
        return None
    model = sum(row.model * row.text_bytes for row in rows) / total
    baseline = sum(row.baseline * row.text_bytes for row in rows) / total
    return Tile(decimal(model, 2), "bits per byte", f"held out; bigrams {decimal(baseline, 2)}")


def _accuracy(contents: Contents) -> Tile | None:
    if contents.accuracy is None:
        return None
    overall = contents.accuracy.overall
    before = f"; before {share(overall.before.value, 1)}" if overall.before else ""
    return Tile(
        share(overall.after.value, 1), "accuracy", f"baseline {share(overall.baseline, 1)}{before}"
    )


def _control(contents: Contents) -> Tile | None:
    if contents.accuracy is None or contents.accuracy.control is None:
        return None
    control = contents.accuracy.control
    return Tile(share(control.after.value, 1), "control", f"chance {share(control.baseline, 1)}")
