"""Standard output that goes away while the fleet runs."""

import os
import pty
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

from fleet.command.machine.terminal import Terminal


@contextmanager
def standard_output(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        yield stream


def test_what_is_written_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8") as reader:
        with standard_output(write, monkeypatch):
            terminal = Terminal()
            terminal.write("ready\n")
            terminal.flush()
            assert not terminal.has_lost_its_reader()
        assert reader.read() == "ready\n"


def test_the_end_of_a_pipes_reader_is_seen_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read, write = os.pipe()
    with standard_output(write, monkeypatch):
        terminal = Terminal()
        os.close(read)
        assert terminal.has_lost_its_reader()


def test_what_nobody_reads_is_dropped_and_the_stream_closes_without_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read, write = os.pipe()
    with standard_output(write, monkeypatch):
        terminal = Terminal()
        os.close(read)
        for _ in range(2):
            terminal.write("summary\n")
            terminal.flush()
        assert terminal.has_lost_its_reader()


def test_a_terminal_that_was_closed_has_lost_its_reader_and_takes_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keyboard, screen = pty.openpty()
    with standard_output(screen, monkeypatch):
        terminal = Terminal()
        assert terminal.isatty()
        assert not terminal.has_lost_its_reader()
        os.close(keyboard)
        assert terminal.has_lost_its_reader()
        for _ in range(2):
            terminal.write("progress\n")
            terminal.flush()


def test_output_that_is_captured_has_its_reader(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.write("ready")
    assert not terminal.has_lost_its_reader()
    assert capsys.readouterr().out == "ready"
