"""Tests of the flame graph: a py-spy recording becomes a tree, tables and an image."""

from __future__ import annotations

import os
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.competitors.model import MissingCompetitor
from bench.flame.drawing import COLOURS, MARGIN_PX, WIDTH_PX, draw
from bench.flame.recording import record
from bench.flame.stacks import Frame, Stack, count_innermost, parse, select_answering
from bench.flame.tree import Key, Node, build_tree
from bench.suites.flame import kind, our_file

LOOP = "thread (7): MainThread;main (awslambdaric/__main__.py:31);handle_event_request (awslambdaric/bootstrap.py:178)"
HANDLER = f"{LOOP};handler (app.py:53)"
RECORDING = f"""\
{HANDLER};Transform._make (darkroom/services/serve/transform.py:180);render (darkroom/imaging/render/pipeline.py:55) 6
{HANDLER};Transform._make (darkroom/services/serve/transform.py:189);Bucket.put (darkroom/aws/s3_fast.py:81) 3
{HANDLER};Transform._make (darkroom/services/serve/transform.py:180);render (darkroom/imaging/render/pipeline.py:58) 1
{LOOP};handler (app.py:60);b64encode (base64.py:58) 2
thread (7): MainThread;main (awslambdaric/__main__.py:31);wait_next (awslambdaric/bootstrap.py:542) 50
thread (9): Thread-1 (_run);Aside._run (darkroom/services/serve/rendering.py:24) 70
"""

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Key("one warm request", "")

names = st.sampled_from(["a", "b", "<lambda>", "c&d"])
frames = st.builds(Frame, names, st.sampled_from(["x.py", "pyvips/y.py"]), st.integers(0, 9))
stacks = st.lists(st.builds(Stack, st.lists(frames, max_size=5), st.integers(1, 500)), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("render (darkroom/imaging/render/pipeline.py:58)", Frame("render", "darkroom/imaging/render/pipeline.py", 58)),
        ("resize.<locals>.<lambda> (a/resize.py:19)", Frame("resize.<locals>.<lambda>", "a/resize.py", 19)),
        ("_run_code (<frozen runpy>:88)", Frame("_run_code", "<frozen runpy>", 88)),
        ("syscall (libc.so.6)", Frame("syscall", "libc.so.6")),
        ("thread (7): MainThread", Frame("thread (7): MainThread")),
        ("0x7f8cf6245937", Frame("0x7f8cf6245937")),
    ],
)
def test_a_frame(text: str, frame: Frame) -> None:
    assert Frame.parse(text) == frame


def test_only_what_answers_counts() -> None:
    found = select_answering(parse(RECORDING.splitlines()))
    assert [stack.count for stack in found] == [6, 3, 1, 2]
    assert {stack.frames[0].name for stack in found} == {"handle_event_request"}


def test_the_threads_of_renders_replace_the_waiting_for_them() -> None:
    decorated = f"{HANDLER};restart_if_abandoned.<locals>.handle (darkroom/services/deadline.py:142)"
    deadline = "CpuLimited.run (darkroom/services/deadline.py:105)"
    recording = f"""\
{decorated};{deadline};Thread.join (threading.py:1094) 10
{decorated};Bucket.put (darkroom/aws/s3_fast.py:81) 3
thread (9): Thread-1 (run);Thread.run (threading.py:994);run (darkroom/services/deadline.py:98);decode (pyvips/y.py:1) 5
thread (9): Thread-1 (run);Thread.run (threading.py:994);run (darkroom/services/deadline.py:98);encode (pyvips/y.py:9) 3
thread (8): Thread-2 (_run);Aside._run (darkroom/services/serve/rendering.py:24) 70
"""
    found, decorator = select_answering(parse(recording.splitlines())), "restart_if_abandoned.<locals>.handle"
    assert [([frame.name for frame in stack.frames][1:], stack.count) for stack in found] == [
        (["handler", decorator, "Bucket.put"], 3),
        (["handler", decorator, "CpuLimited.run", "decode"], 5),
        (["handler", decorator, "CpuLimited.run", "encode"], 3),
        (["handler", decorator, "CpuLimited.run"], 2),
    ]


def test_others_code_counts_for_the_module_of_ours_that_called_it() -> None:
    assert count_innermost(select_answering(parse(RECORDING.splitlines())), our_file) == {
        "darkroom/imaging/render/pipeline.py": 7,
        "darkroom/aws/s3_fast.py": 3,
        "app.py": 2,
    }


def test_equal_calls_are_one_box_in_the_order_of_their_lines() -> None:
    tree = build_tree(select_answering(parse(RECORDING.splitlines())), ROOT)
    assert [(node.key.name, node.count, depth, start) for node, depth, start in tree.walk()] == [
        ("one warm request", 12, 0, 0),
        ("handle_event_request", 12, 1, 0),
        ("handler", 12, 2, 0),
        ("Transform._make", 10, 3, 0),
        ("render", 7, 4, 0),
        ("Bucket.put", 3, 4, 7),
        ("b64encode", 2, 3, 10),
    ]


def test_code_is_coloured_by_its_room() -> None:
    files = {
        "darkroom/imaging/render/steps/resize.py": "imaging",
        "darkroom/aws/s3_fast.py": "S3",
        "json/encoder.py": "rest",
    }
    assert {file: kind(Node(Key("f", file), 1)) for file in files} == files
    assert set(files.values()) < COLOURS.keys()


@given(stacks)
def test_what_is_called_fits_below_its_caller(found: list[Stack]) -> None:
    tree = build_tree(found, ROOT)
    assert tree.count == sum(stack.count for stack in found)
    for node, _, _ in tree.walk():
        assert sum(child.count for child in node.children.values()) <= node.count
        assert all(first.line <= second.line for first, second in pairwise(node.ordered()))


@given(stacks)
def test_the_image_is_an_svg_whose_boxes_lie_within(found: list[Stack]) -> None:
    image = ElementTree.fromstring(draw(build_tree(found, ROOT), "<title> & more", 0.5, kind))
    height = float(image.attrib["height"])
    boxes = image.findall(f"{SVG}g/{SVG}rect")
    assert boxes
    for box in boxes:
        x, y, width = (float(box.attrib[name]) for name in ("x", "y", "width"))
        assert MARGIN_PX <= x <= x + width <= WIDTH_PX - MARGIN_PX + 0.5
        assert 0 < y < height


def test_the_image_has_names_and_milliseconds() -> None:
    text = draw(build_tree(select_answering(parse(RECORDING.splitlines())), ROOT), "title", 0.5, kind)
    assert "render darkroom/imaging/render/pipeline.py: 3.5 ms" in text
    assert ">Transform._make  darkroom/services/serve/transform.py<" in text


@pytest.mark.slow
def test_a_running_process_is_sampled() -> None:
    turns: list[int] = []
    try:
        found = record(os.getpid(), 1, lambda: turns.append(sum(range(10_000))))
    except MissingCompetitor as reason:
        pytest.skip(str(reason))
    assert turns
    assert any(frame.name == "record" for stack in found for frame in stack.frames)
