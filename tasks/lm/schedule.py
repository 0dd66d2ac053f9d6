"""The learning rate as a pure function of the step: warmup, constant, linear warmdown."""

from pipeline_config.training import ScheduleConfig


def learning_rate_share(step: int, num_steps: int, config: ScheduleConfig) -> float:
    """The share of the peak learning rate at `step` (0 to num_steps - 1).

    With 10 steps, 2 of warmup and a warmdown share of 0.4 to 0, the shares are
    0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25: no step is spent at a rate of zero.
    """
    warmup = (step + 1) / config.warmup_steps if step < config.warmup_steps else 1.0
    warmdown_steps = round(config.warmdown_share * num_steps)
    remaining = num_steps - step
    if remaining >= warmdown_steps:
        return warmup
    falling = remaining / warmdown_steps
    return min(warmup, config.final_share + (1.0 - config.final_share) * falling)
