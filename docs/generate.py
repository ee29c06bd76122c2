#!/usr/bin/env python3
"""Writes the pages of this folder that are drawn from the code: `python docs/generate.py`."""

from pathlib import Path

from statemachine.diagram import page

STATE_MACHINE = Path(__file__).resolve().parent / "state_machine.md"

if __name__ == "__main__":
    STATE_MACHINE.write_text(page(), encoding="utf-8")
