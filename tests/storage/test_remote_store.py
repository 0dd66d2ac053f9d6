"""The store on s3://, against moto's server: a real HTTP endpoint, not a mock in the process."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer

Run = Callable[[list[int]], dict]
HERE = Path(__file__).parent
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str) -> Iterator[s3fs.S3FileSystem]:
    files = s3fs.S3FileSystem(
        key="test", secret="test", endpoint_url=endpoint, skip_instance_cache=True
    )
    files.bucket = f"store-{uuid.uuid4().hex[:8]}"
    files.mkdir(files.bucket)
    return files


@pytest.fixture
def run(bucket: s3fs.S3FileSystem, endpoint: str, tmp_path: Path) -> Run:
    """Runs the pipeline in a process of its own, so that its workers see the endpoint too."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": endpoint,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])]),
    }

    def execute(values: list[int]) -> dict:
        log = tmp_path / "log"
        log.unlink(missing_ok=True)
        command = [sys.executable, str(HERE / "remote_pipeline.py"), f"s3://{bucket.bucket}/deep"]
        result = subprocess.run(
            [*command, str(log), json.dumps(values)],
            env=environment, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        found: dict = json.loads(result.stdout.splitlines()[-1])
        return found

    return execute


def blobs(bucket: s3fs.S3FileSystem) -> list[str]:
    bucket.invalidate_cache()
    return sorted(bucket.find(f"{bucket.bucket}/deep/blobs"))


def test_a_run_on_s3_is_cached_resumes_by_shard_and_heals(
    bucket: s3fs.S3FileSystem, run: Run
) -> None:
    first = run([1, 5])
    assert first["executed"] == ["numbers", "double"]
    assert first["broken"] == 0

    again = run([1, 5])
    assert (again["executed"], again["digest"]) == ([], first["digest"])

    grown = run([1, 5, 9])
    assert grown["shards"] == ["00002"]

    for path in blobs(bucket):  # every blob damaged: sizes stay, bytes change
        bucket.pipe_file(path, bytes(bucket.info(path)["size"]))
    damaged = run([1, 5, 9])  # a hit looks at no blob there; verify does, at the end
    assert (damaged["executed"], damaged["broken"]) == ([], 6)
    assert blobs(bucket) == []
    healed = run([1, 5, 9])
    assert healed["executed"] == ["numbers", "double"]
    assert healed["digest"] == grown["digest"]
    assert healed["broken"] == 0
