"""The answering worker: `python -m tasks.evaluation.answer job.json`, started by the verb."""

from tasks.evaluation.jobs import AnswerJob
from tasks.lm.chat_format import ChatTurn, decode, load_tokenizer, prompt_ids, stop_ids
from tasks.lm.device import autocast, move, set_up_torch
from tasks.lm.model import load_model
from tasks.lm.sampling import Decoding, generate
from tasks.lm.worker import Report, Result, work


def answer(job: AnswerJob, report: Report) -> Result:
    """The replies of each group, in order; None to a prompt that the context does not hold."""
    set_up_torch(job.runtime)
    tokenizer = load_tokenizer(job.model)
    model = move(load_model(job.model), job.runtime)
    total = sum(len(group.prompts) for group in job.groups)
    replies: list[list[str | None]] = []
    for group in job.groups:
        ids = [
            prompt_ids(tokenizer, [ChatTurn(*turn) for turn in turns]) for turns in group.prompts
        ]
        room = model.config.max_position_embeddings - group.max_new_tokens
        fits = [number for number, prompt in enumerate(ids) if len(prompt) <= room]
        fits.sort(key=lambda number: (len(ids[number]), number))
        said: list[str | None] = [None] * len(ids)
        decoding = Decoding(group.max_new_tokens, stop_ids(tokenizer))
        for start in range(0, len(fits), job.batch_rows):
            part = fits[start : start + job.batch_rows]
            with autocast(job.runtime):
                found = generate(model, [ids[number] for number in part], decoding)
            for number, tokens in zip(part, found, strict=True):
                said[number] = decode(tokenizer, tokens)
            done = sum(map(len, replies)) + start + len(part)
            report.progress(done, total, "prompts")
        replies.append(said)
    return {"replies": replies}


if __name__ == "__main__":
    work(answer, AnswerJob)
