"""The pretraining worker: `python -m tasks.pretrain.train job.json`, started by the verb."""

import numpy as np

from storage.tokens import TokenShards
from tasks.lm.chat_format import load_tokenizer
from tasks.lm.device import set_up_torch
from tasks.lm.loss import Batch, language_model_loss
from tasks.lm.model import build_model
from tasks.lm.train import to_batch, train_and_save
from tasks.lm.worker import Report, Result, work
from tasks.pretrain.job import PretrainJob
from tasks.pretrain.rows import Domain, Rows


def train(job: PretrainJob, report: Report) -> Result:
    """Trains a base model from random weights."""
    set_up_torch(job.place.runtime)
    config = job.config
    domains = [
        Domain(files.name, files.weight, TokenShards(files.shards, files.dtype))
        for files in job.domains
    ]
    rows = Rows(domains, config.row_tokens, config.batch_rows, config.num_steps, config.seed)

    def batches(step: int) -> list[Batch]:
        tokens = rows(step)  # (batch_rows, row_tokens + 1)
        cuts = range(config.micro_batch_rows, len(tokens), config.micro_batch_rows)
        return [to_batch(part) for part in np.split(tokens, cuts)]

    tokenizer = load_tokenizer(job.tokenizer)
    model = build_model(
        config.model,
        vocab_size=job.vocab_size,
        document_end=tokenizer.eos_token_id,
        seed=config.seed,
    )
    tokenizer_files = sorted(job.tokenizer.iterdir())
    figures = train_and_save(
        model, batches, language_model_loss, config, job.place, tokenizer_files, report
    )
    return {**figures, "epochs": {name: round(n, 3) for name, n in rows.epochs().items()}}


if __name__ == "__main__":
    work(train, PretrainJob)
