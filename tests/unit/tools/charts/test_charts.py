"""Charts as SVG: what a strict policy of a page allows, and every number that they are made of."""

from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from tools.charts.chart import Chart, Hours, Series, Shares, Trends
from tools.charts.markup import WIDTH
from tools.charts.palette import look_of
from tools.charts.scale import number, scale_of
from tools.charts.svg import svg_of
from tools.diagrams.text import width_of

SVG = "{http://www.w3.org/2000/svg}"
TRENDS = Trends(
    title="七日趋势",
    description="每天接收的工单和发起的联系。",
    axis="日期",
    labels=tuple(f"11-{day}" for day in range(24, 31)),
    series=(
        Series("接收工单", (300, 280, 310, None, 290, 305, 320)),
        Series("联系", (500, 480, 510, 520, 390, 405, 620)),
    ),
)
HOURS = Hours(
    title="每小时联系",
    description="每小时的联系和结果。",
    axis="小时",
    labels=tuple(f"{hour:02}" for hour in range(24)),
    series=(
        Series("接听", tuple(3 * hour if 9 <= hour < 20 else 0 for hour in range(24))),
        Series("未接听", tuple(hour if 9 <= hour < 20 else 0 for hour in range(24))),
    ),
)
SHARES = Shares(
    title="自动与人工",
    description="自动执行和人工处理的工单。",
    columns=("方式", "工单", "占比"),
    parts=(("自动", 821), ("人工", 120), ("其他", 0)),
)
EVERY = pytest.mark.parametrize("chart", [TRENDS, HOURS, SHARES], ids=["trends", "hours", "shares"])


def drawn(chart: Chart) -> Element:
    root: Element = fromstring(svg_of(chart))
    return root


def series_of(root: Element, kind: str) -> list[list[Element]]:
    return [
        group.findall(f"{SVG}{kind}") for group in root.findall(f"{SVG}g") if group.get("class") == "series"
    ]


def texts(root: Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


@EVERY
def test_a_chart_is_xml_without_styles_scripts_or_handlers(chart: Chart) -> None:
    for element in drawn(chart).iter():
        assert element.tag.removeprefix(SVG) in {"svg", "title", "desc", "g", "line", "path", "rect", "text"}
        assert not [name for name in element.attrib if name in {"style", "href"} or name.startswith("on")]


@EVERY
def test_a_chart_is_an_image_with_its_title_and_what_it_shows(chart: Chart) -> None:
    root = drawn(chart)
    assert root.get("role") == "img"
    assert [(each.tag, each.text) for each in root[:2]] == [
        (f"{SVG}title", chart.title),
        (f"{SVG}desc", chart.description),
    ]


@EVERY
def test_what_is_written_lies_within_a_chart_as_wide_as_the_narrowest_screen(chart: Chart) -> None:
    root = drawn(chart)
    assert root.get("viewBox", "").split()[2] == "360"
    size = float(root.get("font-size", 0))
    assert size >= 11
    for element in root.iter(f"{SVG}text"):
        width, x = width_of(element.text or "", size), float(element.get("x", -1))
        left = {"end": x - width, "middle": x - width / 2}.get(element.get("text-anchor", ""), x)
        assert left >= -0.5, element.text
        assert left + width <= WIDTH + 0.5, element.text


@EVERY
def test_the_labels_of_an_axis_do_not_lie_on_one_another(chart: Chart) -> None:
    root = drawn(chart)
    size = float(root.get("font-size", 0))
    ends = -1.0
    for element in (each for each in root.iter(f"{SVG}text") if each.get("text-anchor") == "middle"):
        half, x = width_of(element.text or "", size) / 2, float(element.get("x", 0))
        assert x - half > ends
        ends = x + half


@EVERY
def test_the_same_numbers_make_the_same_bytes(chart: Chart) -> None:
    assert svg_of(chart) == svg_of(replace(chart))


def test_names_from_outside_are_text_and_never_markup() -> None:
    hostile = "<script>alert(1)</script>\x00\"'&"
    charts: Iterator[Chart] = iter(
        (
            replace(TRENDS, title=hostile, description=hostile, axis=hostile),
            replace(HOURS, series=(Series(hostile, HOURS.series[0].values),)),
            replace(SHARES, parts=((hostile, 1),)),
        )
    )
    for chart in charts:
        written = svg_of(chart)
        assert "<script" not in written
        assert "\N{REPLACEMENT CHARACTER}" in "".join(fromstring(written).itertext())


def test_the_last_day_is_always_named() -> None:
    many = tuple(f"2026-11-{day:02}" for day in range(1, 31))
    chart = replace(TRENDS, labels=many, series=(Series("接收工单", tuple(range(30))),))
    named = [text for text in texts(drawn(chart)) if text.startswith("2026")]
    assert named[-1] == "2026-11-30"
    assert 1 < len(named) < 10


def test_a_day_without_a_number_is_a_gap_and_no_zero() -> None:
    way, *marks = series_of(drawn(TRENDS), "path")[0]
    assert way.get("d", "").count("M") == 2
    assert len(marks) == 6


def test_lines_are_told_apart_without_their_colours() -> None:
    chart = replace(TRENDS, series=tuple(Series(f"{at}", (at,) * 7) for at in range(6)))
    lines = series_of(drawn(chart), "path")
    assert len({way.get("stroke-dasharray") for way, *_ in lines}) == 6
    assert len({marks[0].get("d") for _, *marks in lines}) == 6


def test_the_bars_of_an_hour_stand_on_one_another_as_high_as_their_numbers() -> None:
    answered, silent = series_of(drawn(HOURS), "rect")
    assert len(answered) == len(silent) == 11
    for below, above in zip(answered, silent, strict=True):
        assert below.get("x") == above.get("x")
        top = float(below.get("y", 0))
        assert float(above.get("y", 0)) + float(above.get("height", 0)) == pytest.approx(top - 1, abs=0.02)
    high = [float(each.get("height", 0)) + 1 for each in answered]
    assert high[10] / high[0] == pytest.approx(19 / 9, abs=0.01)


def test_parts_are_as_wide_as_their_share_and_named_with_it() -> None:
    root = drawn(SHARES)
    widths = [float(each.get("width", 0)) + 2 for each in root.findall(f"{SVG}rect")]
    assert widths == pytest.approx([360 * 821 / 941, 360 * 120 / 941], abs=0.01)
    assert texts(root)[1::2] == ["821 · 87.2%", "120 · 12.8%", "0 · 0%"]


def test_nothing_at_all_has_no_shares() -> None:
    empty = replace(SHARES, parts=(("自动", 0), ("人工", 0)))
    assert texts(drawn(empty)) == ["自动", "0", "人工", "0"]
    assert empty.table.rows == (("自动", 0, None), ("人工", 0, None))


def test_the_table_of_a_chart_has_every_number_of_it() -> None:
    assert TRENDS.table.columns == ("日期", "接收工单", "联系")
    assert TRENDS.table.rows[3] == ("11-27", None, 520)
    assert HOURS.table.rows[9] == ("09", 27, 9)
    assert SHARES.table.columns == ("方式", "工单", "占比 (%)")
    assert SHARES.table.rows[0] == ("自动", 821, 87.2)


def test_a_chart_of_numbers_that_do_not_match_its_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="as many values"):
        replace(TRENDS, labels=("11-24",))
    with pytest.raises(ValueError, match="not negative"):
        replace(HOURS, series=(Series("接听", (-1.0,) * 24),))
    with pytest.raises(ValueError, match="told apart"):
        replace(SHARES, parts=tuple((f"{at}", at) for at in range(7)))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("paper", ["#ffffff", "#14181d"])
def test_the_colour_of_a_series_stands_out_on_light_and_on_dark(at: int, paper: str) -> None:
    light, dark = sorted((luminance(look_of(at).colour), luminance(paper)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_what_is_written_takes_the_colour_of_its_page() -> None:
    root = drawn(TRENDS)
    assert root.get("fill") == "currentColor"
    assert not [each for each in root.iter(f"{SVG}text") if each.get("fill")]


@given(largest=st.floats(min_value=0, max_value=1e9), whole=st.booleans())
def test_an_axis_ends_at_or_above_the_largest_value_in_few_round_steps(largest: float, whole: bool) -> None:
    scale = scale_of(largest, whole=whole)
    assert scale.most >= largest * (1 - 1e-6)
    assert 1 <= scale.intervals <= 5
    assert scale.most == pytest.approx(scale.ticks[-1])
    assert not whole or all(tick == int(tick) for tick in scale.ticks)
    assert len({number(tick) for tick in scale.ticks}) == len(scale.ticks)
