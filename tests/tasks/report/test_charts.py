import base64
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tasks.report.charts import loss_chart, smooth, standalone, ticks
from tasks.report.contents import Contents, CurvePoint


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 404, 5, [0, 100, 200, 300, 400]),
        (4.3, 8.2, 4, [5, 6, 7, 8]),
        (0.01, 0.05, 4, [0.01, 0.02, 0.03, 0.04, 0.05]),
        (3, 3, 4, [3]),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == expected


def test_smooth_is_centred() -> None:
    assert smooth([4.0, 1.0, 1.0]) == [4.0, 2.0, 1.0]
    line = [float(n) for n in range(200)]
    assert smooth(line)[:195] == pytest.approx(line[:195])  # a lagging average would not do that
    assert smooth(line)[-1] == (194 + 199) / 2  # at the end it looks back: 5 of 200 values


def test_chart_is_well_formed_and_names_the_smoothed_end(contents: Contents) -> None:
    assert contents.pretrain is not None
    svg = ET.fromstring(loss_chart(contents.pretrain, 600, 300, "Pre & post"))
    paths = {path.get("class"): path.get("d") or "" for path in svg.iter() if path.get("d")}
    assert paths["raw"].count("L") == len(contents.pretrain.curve) - 1
    texts = [element.text for element in svg.iter() if (element.tag or "").endswith("text")]
    assert f"{smooth([point.loss for point in contents.pretrain.curve])[-1]:.2f}" in texts


@pytest.mark.parametrize("points", [1, 2])
def test_chart_of_a_short_training(contents: Contents, points: int) -> None:
    assert contents.pretrain is not None
    curve = tuple(CurvePoint(step, 5.0, 0.0, step * 10) for step in range(1, points + 1))
    ET.fromstring(loss_chart(replace(contents.pretrain, curve=curve), 360, 200, "short"))


def test_standalone_chart_is_an_image_with_its_own_style(contents: Contents) -> None:
    assert contents.sft is not None
    url = standalone(loss_chart(contents.sft, 720, 260, "Fine-tuning"), 720, 260)
    image = base64.b64decode(url.removeprefix("data:image/svg+xml;base64,")).decode()
    assert ET.fromstring(image).get("width") == "720"
    assert "var(--accent)" in image
    assert "--accent:" in image
