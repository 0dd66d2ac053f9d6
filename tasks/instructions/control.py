"""The control set: held-out questions about the wrong passages.

A model that answers by reading falls to chance on it; one that has learned a bias of the questions
or answers does not. So it tells what an accuracy is worth.
"""

from collections.abc import Sequence

from storage.conversations import Conversation, conversation_id
from tasks.instructions.rows import METHOD, input_of, output_of, turns
from tasks.teacher.exchange import generator


def shuffle_passages(heldout: Sequence[Conversation], seed: int) -> list[Conversation]:
    """Each row with the input of another row of its family, its question and answer kept.

    The rows of a family, in a seeded order, each take the input of the next one, the last that of
    the first: a derangement. A family with a single row has no control.
    """
    swapped: dict[int, Conversation] = {}
    for family in sorted({one.task.family for one in heldout}):
        own = [at for at, one in enumerate(heldout) if one.task.family == family]
        if len(own) < 2:
            continue
        order = [own[int(at)] for at in generator("control", seed, family).permutation(len(own))]
        for at, other in zip(order, [*order[1:], order[0]], strict=True):
            swapped[at] = _swap(heldout[at], heldout[other])
    return [swapped[at] for at in sorted(swapped)]


def _swap(one: Conversation, other: Conversation) -> Conversation:
    messages = turns(one.task.instruction, input_of(other), output_of(one))
    return one.model_copy(
        update={
            "id": conversation_id(messages, METHOD),
            "messages": messages,
            "origins": other.origins,
            "split": "control",
        }
    )
