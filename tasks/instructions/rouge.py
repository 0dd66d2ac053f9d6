"""ROUGE-L between two instructions, and when they count as too similar.

With m and n tokens and a longest common subsequence of L tokens, F1 = 2L / (m + n). Self-Instruct
(Wang et al. 2023, §2.2) accepts an instruction only below 0.7; its released code compares
rouge-score's floating-point value and keeps ties. Both rules are here, by name:

    paper       F1 >= 0.7 rejects; in integers 20 L >= 7 (m + n), so no rounding is involved
    reference   rouge-score's 2pr / (p + r) > 0.7 rejects, bit by bit as it computes it

An exact tie such as L = 7, m = n = 10 is rejected by `paper` and kept by `reference`.
"""

import re
from typing import Literal

Rule = Literal["paper", "reference"]

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(r"\w+")
# scripts written without spaces: Thai to Myanmar, kana, CJK, CJK compatibility
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def rouge_tokens(text: str) -> list[str]:
    """The tokens of a text: rouge-score's runs of [a-z0-9] in lower case.

    Those would turn a Russian or Chinese text into nothing, so a text whose letters and digits are
    mostly not ASCII is cut into Unicode words instead, and single characters in scripts without
    spaces.

        >>> rouge_tokens("Sort: 3, 1 and 2!")
        ['sort', '3', '1', 'and', '2']
        >>> rouge_tokens("Список 数字")
        ['список', '数', '字']
    """
    lowered = text.lower()
    tokens = _ASCII_WORD.findall(lowered)
    words = _WORD.findall(lowered)
    if 2 * sum(map(len, tokens)) >= sum(map(len, words)):
        return tokens
    return [piece for word in words for piece in _UNSPACED.sub(r" \g<0> ", word).split()]


def rouge_f1(common: int, m: int, n: int) -> float:
    """ROUGE-L F1, in the order of operations of rouge-score."""
    if not common:
        return 0.0
    precision, recall = common / n, common / m
    return 2 * precision * recall / (precision + recall)


def too_similar(common: int, m: int, n: int, threshold: float, rule: Rule) -> bool:
    """Whether texts of m and n tokens with `common` in order are too similar, by `rule`.

    >>> too_similar(7, 10, 10, 0.7, "paper"), too_similar(7, 10, 10, 0.7, "reference")
    (True, False)
    """
    if rule == "reference":
        return rouge_f1(common, m, n) > threshold
    return reaches(common, m, n, per_mille(threshold))


def reaches(common: int, m: int, n: int, per_mille_: int) -> bool:
    """Whether F1 >= per_mille / 1000, in integers; two empty texts share nothing."""
    return common > 0 and 2000 * common >= per_mille_ * (m + n)


def per_mille(threshold: float) -> int:
    """A threshold in thousandths, the resolution of the integer rule."""
    return round(threshold * 1000)
