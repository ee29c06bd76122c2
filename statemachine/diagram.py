"""The state machine as a picture, drawn from the transition table."""

from statemachine.machine import TERMINAL, TRANSITIONS
from statemachine.states import OPEN_STATES, State


def mermaid() -> str:
    """The table as a Mermaid state diagram; events of our own carry a star.

    Events that leave every open state for `closed` are drawn once, from a composite of all open states,
    since fourteen arrows to one box hide the eleven that matter.
    """
    everywhere = {
        event
        for _, event in TRANSITIONS
        if all((state, event) in TRANSITIONS for state in OPEN_STATES)
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
