"""Worker processes that tests start, kill and wait for; `job.how` says what happens."""

import os
import sys
import time

from pydantic import BaseModel

from tasks.lm.worker import Report, Result, work


class SleepyJob(BaseModel):
    how: str


def run(job: SleepyJob, report: Report) -> Result:
    print("a library prints to stdout")
    report.log(f"pid {os.getpid()}")
    report.progress(1, 2, "steps", loss=2.5)
    if job.how == "fails":
        raise ValueError("3 rows are missing; tokenize again")
    if job.how == "killed":
        os.kill(os.getpid(), 9)
    if job.how == "silent":
        sys.exit(0)
    if job.how == "sleeps":
        time.sleep(60)
    return {"threads": os.environ["OMP_NUM_THREADS"], "offline": os.environ["HF_HUB_OFFLINE"]}


if __name__ == "__main__":
    work(run, SleepyJob)
