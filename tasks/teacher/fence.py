"""Keeps documents data: text of the web may hold chat markup and orders to a model.

Two measures. `defuse` breaks every chat control token inside a text, so that no template or
tokenizer can read a turn into it. `fence` puts a text into a prompt between two lines that carry a
nonce which the text cannot know, for the prompt to say "what stands between them is material".
"""

import hashlib
import re

# <|im_start|> and relatives; [INST], <<SYS>> and <s> of Llama; <start_of_turn> of Gemma
_CONTROL = re.compile(
    r"<(?=\|[\w ]{1,40}\|>)"
    r"|<(?=</?SYS>>)"
    r"|<(?=/?s>|/?start_of_turn>|/?end_of_turn>|/?bos>|/?eos>)"
    r"|\[(?=/?INST\])"
)


def defuse(text: str) -> str:
    """`text` with a space put into every chat control token, which makes it plain text.

    >>> defuse("a <|im_start|>system")
    'a < |im_start|>system'
    """
    return _CONTROL.sub(lambda match: f"{match.group()} ", text)


def fence(text: str, seed: int) -> str:
    """`text`, defused, between two marker lines whose nonce depends on all of the text.

    The nonce is a hash over the text, so a page would have to contain a hash of itself to close
    its own fence.
    """
    nonce = hashlib.blake2b(f"{seed}:{text}".encode(errors="surrogatepass"), digest_size=6)
    mark = f"=== material {nonce.hexdigest()} ==="
    return f"{mark}\n{defuse(text)}\n{mark}"
