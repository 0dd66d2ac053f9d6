"""Find-cutoff: scores of one source -> `cutoff.json`, the score from which on a share is kept.

The share is of the documents that pass all rules but shares themselves, as DCLM took the best tenth
of what its heuristics left. What ties with the last one is kept too.
"""

import numpy as np

from pipeline_config.quality import QualityRules
from storage.artifact import ArtifactRef
from storage.build import Build
from tasks.quality.class_scores import CUTOFF, column, with_classes
from tasks.quality.roc import score_of_share
from tasks.quality.rules import decide

MOST_TIES = 0.01  # share of documents beyond which ties are worth a word


def find_cutoff(
    build: Build,
    scores: ArtifactRef,
    classes: dict[str, ArtifactRef],
    classifier: str,
    rules: QualityRules,
) -> None:
    """Find the cut-off of one classifier.

    Raises:
        ValueError: when no document passes the other rules, with the funnel.
    """
    limits = rules.classifier_limits
    others = limits.model_copy(update={"keep_share": {}})
    rules = rules.model_copy(update={"classifier_limits": others})
    found = []
    names = sorted(classes)
    files = zip(build.paths(scores), *(build.paths(classes[name]) for name in names), strict=True)
    for path, *paths in files:
        table = with_classes(path, dict(zip(names, paths, strict=True)))
        passing = decide(table, rules).reason == ""
        found.append(np.asarray(table[column(classifier)])[passing])
        build.counts.read += table.num_rows
        build.counts.kept += int(passing.sum())
    build.counts.drop("quality", build.counts.read - build.counts.kept)
    if not build.counts.kept:
        raise ValueError(f"{build.label} has nothing to take a share of: {build.counts}")
    share = limits.keep_share[classifier]
    every = np.concatenate(found)
    cutoff = score_of_share(every, share)
    kept = float((every >= cutoff).mean())
    if kept > share + MOST_TIES:
        build.log(f"keeps {kept:.1%} instead of {share:.1%}: so many documents score {cutoff}")
    build.counts.extra |= {"min_score": cutoff, "kept_share": kept}
    build.add_json(CUTOFF, {"min_score": cutoff})
