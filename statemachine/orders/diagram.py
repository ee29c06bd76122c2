"""Draws the state machine from the transition table."""

from typing import Final

from statemachine.orders.guards import Guard
from statemachine.orders.machine import TERMINAL, TRANSITIONS
from statemachine.orders.states import OPEN_STATES, State

_PAGE: Final = """\
# The state machine of a suspended order

Written by `python docs/generate.py` from `statemachine/orders/machine.py`; a test fails when the two differ.
A star marks what the specification's own table does not have. Entering `contacting` counts an attempt.

```mermaid
{picture}
```

| from | event | to | guard | ours |
|---|---|---|---|---|
{rows}
"""


def mermaid() -> str:
    """Return the table as a Mermaid state diagram; our own events are marked with a star.

    Events that leave every open state for `closed` are drawn once, from a box that stands for all open
    states, since three arrows from each of them would hide those that matter.
    """
    everywhere = {
        event for _, event in TRANSITIONS if all((state, event) in TRANSITIONS for state in OPEN_STATES)
    }
    lines = ["stateDiagram-v2", f"    [*] --> {State.PENDING}"]
    for row in TRANSITIONS.values():
        if row.event not in everywhere:
            star = " ★" if row.ours else ""
            lines.append(f"    {row.source} --> {row.target}: {row.event}{star}")
    names = " / ".join(sorted(event.value for event in everywhere))
    lines.append(f"    any_open_state --> {State.CLOSED}: {names} ★")
    lines.extend(f"    {state} --> [*]" for state in State if state in TERMINAL)
    return "\n".join(lines)


def page() -> str:
    """Return the diagram and the whole table as a Markdown page."""
    rows = (
        f"| {row.source} | `{row.event}` | {row.target} | {_cell(row.guard)} | {'★' if row.ours else ''} |"
        for row in TRANSITIONS.values()
    )
    return _PAGE.format(picture=mermaid(), rows="\n".join(rows))


def _cell(guard: Guard) -> str:
    return guard.value.replace("|", "\\|")
