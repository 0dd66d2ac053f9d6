import pytest

from pipeline_config.training import ScheduleConfig
from tasks.lm.schedule import learning_rate_share


def shares(num_steps: int, **config: float) -> list[float]:
    schedule = ScheduleConfig.model_validate(config)
    return [learning_rate_share(step, num_steps, schedule) for step in range(num_steps)]


def test_share_rises_stays_and_falls() -> None:
    expected = [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert shares(10, warmup_steps=2, warmdown_share=0.4) == pytest.approx(expected)


def test_share_falls_towards_final_share() -> None:
    # 4 falling steps from 1 to 0.2: remaining 3/4, 2/4, 1/4 of the way
    assert shares(8, warmup_steps=0, warmdown_share=0.5, final_share=0.2)[4:] == pytest.approx(
        [1.0, 0.8, 0.6, 0.4]
    )


def test_warmup_longer_than_the_run_never_exceeds_either_slope() -> None:
    assert shares(4, warmup_steps=8, warmdown_share=0.5) == pytest.approx([0.125, 0.25, 0.375, 0.5])


def test_share_is_one_without_warmup_and_warmdown() -> None:
    assert shares(3, warmup_steps=0, warmdown_share=0.0) == [1.0, 1.0, 1.0]
