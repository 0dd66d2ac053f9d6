"""The fine-tuning worker: `python -m tasks.sft.train job.json`, started by the verb."""

from transformers import GenerationConfig, PreTrainedTokenizerFast
from transformers.models.llama import LlamaForCausalLM

from storage.checkpoints import TOKENIZER_FILES
from storage.conversations import read_conversations
from tasks.lm.chat_format import load_tokenizer, stop_ids
from tasks.lm.device import set_up_torch
from tasks.lm.loss import Batch, answer_loss
from tasks.lm.model import load_model
from tasks.lm.train import to_batch, train_and_save
from tasks.lm.worker import Report, Result, work
from tasks.sft.buckets import LengthBuckets
from tasks.sft.examples import encode, pad
from tasks.sft.job import SftJob


def train(job: SftJob, report: Report) -> Result:
    """Fine-tunes the base model on the assistant's turns."""
    set_up_torch(job.place.runtime)
    config = job.config
    model = load_model(job.base)
    tokenizer = load_tokenizer(job.base)
    longest = min(config.max_tokens, model.config.max_position_embeddings)
    conversations = [one.messages for one in read_conversations(job.conversations)]
    examples = encode(conversations, tokenizer, longest)
    kept, dropped = len(examples.tokens), examples.dropped
    if not kept:
        raise ValueError(f"no conversation is left to train on: dropped {dropped}")
    report.log(f"{kept:,} conversations, dropped {dropped or 'none'}")
    buckets = LengthBuckets(examples.lengths, config.batch_rows, config.bucket_batches, config.seed)
    padding = tokenizer.pad_token_id

    def batches(step: int) -> list[Batch]:
        chosen = buckets(step).tolist()
        size = config.micro_batch_rows
        return [
            to_batch(
                *pad(
                    [examples.tokens[row] for row in chosen[start : start + size]],
                    [examples.trained[row] for row in chosen[start : start + size]],
                    padding,
                )
            )
            for start in range(0, len(chosen), size)
        ]

    _end_at_turn(model, tokenizer)
    tokenizer_files = [job.base / name for name in TOKENIZER_FILES]
    figures = train_and_save(
        model, batches, answer_loss, config, job.place, tokenizer_files, report
    )
    epochs = round(config.num_steps / buckets.batches_per_epoch, 3)
    return {"kept": kept, "dropped": dropped, "extra": {**figures, "epochs": epochs}}


def _end_at_turn(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Makes whoever serves the directory stop at the end of a turn."""
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=sorted(stop_ids(tokenizer)),
        pad_token_id=tokenizer.pad_token_id,
    )


if __name__ == "__main__":
    work(train, SftJob)
