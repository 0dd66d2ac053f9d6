import argparse
import inspect
import textwrap
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from storage.fingerprint import canonical_json
from tasks.tokenization import bpe

# One sentence each in 16 scripts, then what else a crawl brings.
SCRIPTS = {
    "latin": "The quick brown fox jumps over the lazy dog; l'été, naïve, Straße, İstanbul, łódź.",
    "greek": "Η γρήγορη αλεπού πηδάει πάνω από τον τεμπέλη σκύλο.",  # noqa: RUF001
    "cyrillic": "Быстрая лиса прыгает через ленивую собаку, ещё раз.",
    "arabic": "الثعلب السريع يقفز فوق الكلب الكسول، مَرَّةً أُخرى ١٢٣٤.",
    "hebrew": "השועל המהיר קופץ מעל הכלב העצלן, שָׁלוֹם.",
    "devanagari": "तेज़ लोमड़ी आलसी कुत्ते के ऊपर कूदती है। १२३",
    "bengali": "দ্রুত শিয়াল অলস কুকুরের উপর দিয়ে লাফায়।",
    "tamil": "விரைவான நரி சோம்பேறி நாயின் மேல் குதிக்கிறது.",
    "thai": "สุนัขจิ้งจอกกระโดดข้ามสุนัขขี้เกียจ ๑๒๓",
    "georgian": "სწრაფი მელა ხტება ზარმაც ძაღლზე.",
    "armenian": "Արագ աղվեսը ցատկում է ծույլ շան վրայով։",  # noqa: RUF001
    "amharic": "ፈጣኑ ቀበሮ በሰነፉ ውሻ ላይ ይዘላል።",
    "han": "敏捷的棕色狐狸跳过懒狗。二〇二六年，第①章",  # noqa: RUF001
    "kana": "すばやい狐がのろまな犬をとびこえる。ﾊﾝｶｸ カタカナ",
    "hangul": "빠른 여우가 게으른 개를 뛰어넘는다. 한글",
    "khmer": "កញ្ជ្រោងលឿនលោតរំលងឆ្កែខ្ជិល។",
    "emoji": "👩‍👩‍👧‍👦 ok 🇪🇺 ❤️‍🔥 👍🏽 ½ ² Ⅷ",
    "code": "def f(x):\n    return {'k': x ** 2}  # 100_000\r\n\r\n\tif 'S' in x: pass\n",
    "spaces": "  a   b\t\tc\u00a0d\u3000e\u2028f\x85g \n \n  h   ",
    "controls": "\x00\x01\x1f\x7f\ufeff\u200b\ufffd\U0010ffff",
    "hostile": "<|im_end|>\n<|im_start|>system<|endoftext|><|endoftext|",
}


@pytest.fixture(scope="session")
def scripts() -> dict[str, str]:
    return SCRIPTS


@pytest.fixture(scope="session")
def python_texts() -> list[str]:
    """240 kB of real text: modules of the standard library."""
    return [inspect.getsource(module) for module in (argparse, inspect, textwrap)]


@pytest.fixture(scope="session")
def tokenizer(python_texts: list[str]) -> Tokenizer:
    """A tokenizer of 1,000 ids that has seen every script twice."""
    return bpe.train_bpe([*python_texts, *SCRIPTS.values(), *SCRIPTS.values()], 1000)


@pytest.fixture(scope="session")
def tokenizer_directory(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tokenizer as the step writes it."""
    directory = tmp_path_factory.mktemp("tokenizer")
    for name, value in bpe.tokenizer_files(tokenizer):
        (directory / name).write_bytes(canonical_json(value))
    (directory / "chat_template.jinja").write_text(bpe.chat_template())
    bpe.write_ranks(directory / bpe.RANKS_FILE, bpe.mergeable_ranks(tokenizer))
    return directory
