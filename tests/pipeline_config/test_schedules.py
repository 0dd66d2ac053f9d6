"""Schedules are checked when the preset is loaded, not when they should fire."""

import pytest
from pydantic import ValidationError

from pipeline_config.schedules import Schedule


def test_schedule_of_a_monthly_refresh() -> None:
    schedule = Schedule(cron="0 3 1 * *", timezone="Europe/Berlin")
    assert schedule.refresh


@pytest.mark.parametrize("cron", ["0 3 1 *", "every day", "0 3 1 * * *", "0 3 1 * !"])
def test_cron_needs_five_fields(cron: str) -> None:
    with pytest.raises(ValidationError, match="must have five fields"):
        Schedule(cron=cron)


@pytest.mark.parametrize(
    ("cron", "problem"),
    [
        ("60 3 1 * *", "minute 60"),
        ("0 1,24 1 * *", "hour 24"),
        ("0 3 0-5 * *", "day of month 0"),
        ("0 3 1 13/2 *", "month 13"),
        ("0 3 1 * 8", "day of week 8"),
    ],
)
def test_numbers_of_a_cron_must_exist(cron: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Schedule(cron=cron)


@pytest.mark.parametrize("cron", ["*/90 3 1 * *", "0 0 * jan-mar mon#2", "5,10 8-18/2 * * 1-5"])
def test_usual_crons_are_taken(cron: str) -> None:
    assert Schedule(cron=cron).cron == cron


def test_unknown_timezone_is_told() -> None:
    with pytest.raises(ValidationError, match="no IANA time zone"):
        Schedule(cron="0 3 1 * *", timezone="Mars/Olympus")
    with pytest.raises(ValidationError, match=r"did you mean Europe/Berlin\?"):
        Schedule(cron="0 3 1 * *", timezone="Europe/Berln")
