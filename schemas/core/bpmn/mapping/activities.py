"""Tasks, calls and sub-processes."""

import re
from typing import Any, Final

from schemas.core.bpmn.mapping.foreign import camunda, zeebe
from schemas.core.bpmn.mapping.foreign.elements import read_value
from schemas.core.bpmn.mapping.foreign.expressions import is_expression
from schemas.core.bpmn.mapping.level import Level
from schemas.core.bpmn.mapping.names import workflow_name
from schemas.core.bpmn.mapping.ways import decisions, following
from schemas.core.bpmn.model import FlowNode
from schemas.core.bpmn.own_fields import ANY_AGENT, has_mark

Fields = dict[str, Any]

_BOUND: Final = ("type", "agent", "action", "tool", "request", "set")
"""Our fields by which a task has work."""
_LONGEST_ROLE: Final = 32
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def human(node: FlowNode, level: Level) -> Fields:
    """A user task, or a manual one."""
    read: Fields = {"type": "human"}
    if assign := _assigned(node, level):
        read["assign"] = assign
    if form := camunda.form(node):
        read["form"] = form
    return {**read, "decisions": decisions(node, level)}


def _assigned(node: FlowNode, level: Level) -> Fields:
    """A person, else the first group, else the lane."""
    found = (zeebe.assignment(node), camunda.assignment(node))
    person = next((each for each, _ in found if each), "")
    groups = next((each for _, each in found if each), "")
    if person:
        value = read_value(person, level.left_open(node))
        return {} if value is None else {"person": str(value)}
    if groups and is_expression(groups):
        level.point(node, f"the groups '{groups}' are calculated; name a role", "assign")
        return {}
    role = groups.split(",")[0].strip() or level.lane(node)
    return {"role": role[:_LONGEST_ROLE]} if role else {}


def task(node: FlowNode, level: Level) -> Fields:
    """Work: bound by ours, a job of Zeebe or a topic of Camunda 7."""
    left_open = level.left_open(node)
    bound = zeebe.work(node, left_open) or camunda.work(node, left_open)
    if not bound and not has_mark(node.attributes, ANY_AGENT):
        level.point(node, "no work is bound to the task; name an agent or a capability", *_BOUND)
    return {**bound, **_data(node, level), **following(node, level)}


def send(node: FlowNode, level: Level) -> Fields:
    """A task that sends: a message that it names, else work."""
    if node.message is None:
        return task(node, level)
    return {"type": "emit", "message": node.message, **following(node, level)}


def script(node: FlowNode, level: Level) -> Fields:
    """A calculation; what is written in another language is never run."""
    if found := zeebe.script(node, level.left_open(node)):
        return {**found, **following(node, level)}
    if node.script is not None and node.script.text.strip():
        language = f" in {node.script.language}" if node.script.language else ""
        level.point(node, f"the script{language} is never run; write it as `set`, or as work", *_BOUND)
        return following(node, level)
    return task(node, level)


def call(node: FlowNode, level: Level) -> Fields:
    """A process that is called."""
    called = zeebe.called(node) or node.called or ""
    read: Fields = {"type": "workflow"}
    if not called or is_expression(called):
        words = f"the called process '{called}' is calculated" if called else "no process is called"
        level.point(node, words, "workflow")
    if called:
        read["workflow"] = workflow_name(called.rpartition(":")[2])
    return {**read, **_data(node, level), **following(node, level)}


def sub_process(node: FlowNode, level: Level) -> Fields:
    """Steps of its own; those within are added to it."""
    return {"type": "scope", **(_data(node, level)), **({} if node.by_event else following(node, level))}


def _data(node: FlowNode, level: Level) -> Fields:
    left_open = level.left_open(node)
    read = zeebe.data(node, left_open) or camunda.data(node, left_open)
    if "save" in read:
        wrong = [name for name in read["save"] if not _VARIABLE.fullmatch(name)]
        for name in wrong:
            left_open(f"the output '{name}' is no name of a variable")
            del read["save"][name]
    return read
