"""When flows run by themselves.

Schedules live in the preset: a restart of `up` would undo edits made on the dashboard.

    schedules:
      refresh-corpus: {cron: "0 3 1 * *", timezone: Europe/Berlin}     # monthly, at three
"""

import re
import zoneinfo
from typing import Any, Literal

from pydantic import Field, field_validator

from pipeline_config.base import StageConfig

FlowName = Literal[
    "crawl-to-chat",
    "refresh-corpus",
    "build-mixture",
    "pretrain",
    "build-instructions",
    "align",
    "evaluate",
]

CRON_FIELD = re.compile(r"[\dA-Za-z*/,?#-]+")
CRON_BOUNDS = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day of month": (1, 31),
    "month": (1, 12),
    "day of week": (0, 7),
}


class Schedule(StageConfig):
    """One recurring run of a flow with this preset."""

    cron: str = Field(description="minute, hour, day of month, month, day of week: `0 3 1 * *`")
    timezone: str = Field(default="UTC", description="IANA name such as Europe/Berlin")
    refresh: bool = Field(
        default=True, description="capture the sources again, as of the day of the run"
    )
    overrides: dict[str, Any] = Field(
        default_factory=dict, description="dotted keys, as in `--set`, for these runs only"
    )

    @field_validator("cron")
    @classmethod
    def _check_cron(cls, cron: str) -> str:
        fields = cron.split()
        if len(fields) != 5 or not all(CRON_FIELD.fullmatch(field) for field in fields):
            raise ValueError("must have five fields")
        for field, (name, (low, high)) in zip(fields, CRON_BOUNDS.items(), strict=True):
            for number in re.findall(r"(?<![/\d#])\d+", field):
                if not low <= int(number) <= high:
                    raise ValueError(f"{name} {number} is not within {low} to {high}")
        return cron

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, timezone: str) -> str:
        from pipeline_config.mistakes import did_you_mean  # 30 ms that `--help` need not wait for

        known = zoneinfo.available_timezones()
        if timezone not in known:
            raise ValueError("is no IANA time zone" + did_you_mean(timezone, sorted(known)))
        return timezone
