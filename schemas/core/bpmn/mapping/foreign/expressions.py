"""Expressions of other tools as ours, where they say the same: FEEL, and `${}` of Camunda 7."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from schemas.core.bpmn.model import BpmnExpression
from schemas.core.bpmn.xml.names import UNPEND
from statemachine.workflow.expression.calculation import (
    DEEPEST_EXPRESSION,
    LONGEST_EXPRESSION,
    MalformedExpression,
)
from statemachine.workflow.expression.compiled import Expression

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z][A-Za-z0-9_]*)
    |(?P<sign>\*\*|//|&&|\|\||[=!<>]=|[-+*/%<>=!(){}\[\],.:?]))""",
    re.VERBOSE,
)
_FEEL_FUNCTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "string length": "len",
        "upper case": "upper",
        "lower case": "lower",
        "starts with": "starts_with",
        "list contains": "contains",
        "string": "text",
        **{name: name for name in ("sum", "min", "max", "abs", "contains", "number")},
        "count": "len",
    }
)
_FEEL_WORDS: Final = frozenset({"and", "or", "null", "true", "false", "if", "then", "else"})
_FEEL_SIGNS: Final[Mapping[str, str]] = MappingProxyType({"=": "=="})
_REFUSED_BY_FEEL: Final = frozenset({"==", "**", "//", "%", "!", "&&", "||", "?", ":", "{", "}"})
_JUEL_SIGNS: Final[Mapping[str, str]] = MappingProxyType({"&&": " and ", "||": " or ", "!": " not "})
_JUEL_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "div": "/", "mod": "%"}
    | {word: word for word in ("and", "or", "not", "true", "false", "null")}
)
_REFUSED_BY_JUEL: Final = frozenset({"=", "**", "//", "?", ":", "{", "}", "(call)"})
_WORDS_OF_OURS: Final = frozenset({"in", "is", "for", "lambda", "not", "if", "else", "and", "or"})


class UnreadableExpression(ValueError):
    """It is none of ours, nor one that says the same."""


def condition_of(expression: BpmnExpression) -> str:
    """The condition that an expression is, in our language.

    Raises:
        UnreadableExpression: It is none.
    """
    text = expression.text.strip()
    if not text:
        raise UnreadableExpression(text)
    ours = text if expression.language == UNPEND else _translated(text, expression.language or "")
    try:
        Expression.parse(ours)
    except MalformedExpression as error:
        raise UnreadableExpression(str(error)) from error
    return ours


def value_of(text: str) -> str:
    """A text of another tool as a value of ours: `= a` and `${a}` become `${a}`, others stay.

    Raises:
        UnreadableExpression: It is an expression that cannot be read.
    """
    stripped = text.strip()
    if not is_expression(stripped):
        return text
    ours = _translated(stripped, "")
    try:
        Expression.parse(ours, strict=True)
    except MalformedExpression as error:
        raise UnreadableExpression(str(error)) from error
    return f"${{{ours}}}"


def is_expression(text: str) -> bool:
    """Whether this is an expression of FEEL, or of Camunda 7 that is all of the text."""
    return text.startswith("=") or bool(re.match(r"[$#]\{", text))


def _translated(text: str, language: str) -> str:
    if len(text) > LONGEST_EXPRESSION:
        raise UnreadableExpression(f"{text[:80]}…")
    if text.startswith("="):
        return _feel(text[1:])
    if found := re.fullmatch(r"[$#]\{(.*)\}", text, re.DOTALL):
        return _juel(found.group(1))
    if "feel" in language.lower():
        return _feel(text)
    if language and "xpath" not in language.lower():
        raise UnreadableExpression(text)
    return text


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """The kinds and texts of its parts."""
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise UnreadableExpression(text)
        yield found.lastgroup, found.group(found.lastgroup)
        at = found.end()


def _feel(text: str) -> str:
    """An expression of FEEL as ours."""
    tokens = list(_tokens(text))
    return "".join(_joined(_feel_parts(tokens, text)))


def _feel_parts(tokens: list[tuple[str, str]], text: str, levels: int = DEEPEST_EXPRESSION) -> Iterator[str]:
    at = 0
    while at < len(tokens):
        kind, word = tokens[at]
        name, length = _feel_function(tokens, at)
        if name:
            yield name
            at += length
            continue
        at += 1
        if word == "if":
            chosen, at = _chosen(tokens, at, text, levels - 1)
            yield chosen
        elif kind == "name":
            after_dot = at > 1 and tokens[at - 2][1] == "."
            if word in _FEEL_WORDS and not after_dot:
                yield word
            elif word in _WORDS_OF_OURS or (tokens[at : at + 1] or [("", "")])[0][1] == "(":
                raise UnreadableExpression(text)
            else:
                yield word
        elif word in _REFUSED_BY_FEEL or _is_filter(tokens, at, word):
            raise UnreadableExpression(text)
        else:
            yield _FEEL_SIGNS.get(word, word)


def _feel_function(tokens: list[tuple[str, str]], at: int) -> tuple[str, int]:
    """Our name of the function that is called here, and of how many words FEEL's name is."""
    if tokens[at] == ("name", "not") and tokens[at + 1 : at + 2] == [("sign", "(")]:
        return " not ", 1
    for length in (2, 1):
        words = tokens[at : at + length]
        called = tokens[at + length : at + length + 1] == [("sign", "(")]
        name = " ".join(text for kind, text in words if kind == "name")
        if called and name in _FEEL_FUNCTIONS and len(name.split()) == length:
            return _FEEL_FUNCTIONS[name], length
    return "", 0


def _is_filter(tokens: list[tuple[str, str]], at: int, word: str) -> bool:
    """Whether a bracket selects elements: FEEL counts from 1, and filters by conditions; ours does neither."""
    return word == "[" and at > 1 and (tokens[at - 2][0] == "name" or tokens[at - 2][1] in "])")


def _chosen(tokens: list[tuple[str, str]], at: int, text: str, levels: int) -> tuple[str, int]:
    """`if a then b else c` up to the end of the brackets around it."""
    depth, parts, words, start = 0, [], ["then", "else"], at
    while at < len(tokens):
        word = tokens[at][1]
        if word == "if" and depth == 0:
            raise UnreadableExpression(text)
        if depth == 0 and words and word == words[0]:
            parts.append(tokens[start:at])
            words.pop(0)
            start = at + 1
        if word in "([":
            depth += 1
        elif word in ")]":
            depth -= 1
            if depth < 0:
                break
        at += 1
    parts.append(tokens[start:at])
    if words or not all(parts) or levels <= 0:
        raise UnreadableExpression(text)
    condition, one, other = ("".join(_joined(_feel_parts(part, text, levels))) for part in parts)
    return f"({one} if {condition} else {other})", at


def _juel(text: str) -> str:
    """What stands between `${` and `}` of Camunda 7 as ours."""
    tokens = list(_tokens(text))
    parts: list[str] = []
    for at, (kind, word) in enumerate(tokens):
        follows = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        after_dot = at > 0 and tokens[at - 1][1] == "."
        if kind == "name":
            if follows == "(" and word not in _JUEL_WORDS:
                raise UnreadableExpression(text)
            if not after_dot and word not in _JUEL_WORDS and (word in _WORDS_OF_OURS or word == "empty"):
                raise UnreadableExpression(text)
            parts.append(word if after_dot else _JUEL_WORDS.get(word, word))
        elif word in _REFUSED_BY_JUEL:
            raise UnreadableExpression(text)
        else:
            parts.append(_JUEL_SIGNS.get(word, word))
    return "".join(_joined(iter(parts)))


def _joined(parts: Iterator[str]) -> Iterator[str]:
    """The parts with blanks between them, except around dots and brackets."""
    before = ""
    for part in parts:
        each = part.strip()
        tight = not before or each in (".", ",", ")", "]", "[") or before in (".", "(", "[")
        tight = tight or (each == "(" and (before.isidentifier() and before not in _WORDS_OF_OURS))
        yield each if tight else f" {each}"
        before = each
