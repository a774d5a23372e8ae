"""Plain values by the types that a dataclass gives its fields, so that a file's are checked once.

Known are bool, int, float, str, None, Literal, tuples, unions, and numbers within bounds, such as
`Annotated[float, Within(0, 1)]`. Without bounds an int is 0 to 10^9, and a float is finite. What
has another type is not checked.
"""

import math
from dataclasses import Field, asdict, field, fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from musiclib.base.errors import InputError

MOST = 10**9  # iterations, units, ...
SHOWN = 40  # characters of a wrong value
WORDS = {bool: "true or false", str: "text", type(None): "null"}


class Within(NamedTuple):
    """The bounds of a number, both of them allowed."""

    least: float
    most: float


Share = Annotated[float, Within(0.0, 1.0)]
Rate = Annotated[float, Within(0.0, 1000.0)]  # of learning
Rounds = Annotated[int, Within(1, 10_000)]  # of what is done anew for every answer
Count = Annotated[int, Within(1, MOST)]
LATER = "later"  # said of a field that older files do not have
UNSAID = {int: Within(0, MOST), float: Within(-math.inf, math.inf)}


def later(default: Any) -> Any:
    """A field that came after files were written: at its default it is not told, nor asked for.

    So what is found by its configuration keeps its name.
    """
    return field(default=default, metadata={LATER: True})


def told_of(instance: Any) -> dict[str, Any]:
    """The fields of a dataclass as plain values, but for `later` ones at their defaults."""
    values = asdict(instance)
    for each in _later(type(instance)):
        if getattr(instance, each.name) == each.default:
            del values[each.name]
    return values


def _later(kind: type) -> list[Field]:
    return [each for each in fields(kind) if LATER in each.metadata]


def built(kind: type, values: dict[str, Any]) -> Any:
    """A dataclass of what JSON has: lists are tuples; every field, and no other, must be there.

    What came `later` may be missing. Raises ValueError that names the field.
    """
    values = {each.name: each.default for each in _later(kind)} | values
    wanted = [each.name for each in fields(kind) if each.init]
    if missing := [name for name in wanted if name not in values]:
        raise ValueError(f"{missing[0]}: it is not said")
    if unknown := [name for name in values if name not in wanted]:
        raise ValueError(f"{shown(unknown[0])}: unknown to {kind.__name__}")
    hints = hints_of(kind)
    return kind(**{name: fitted(hints.get(name, Any), values[name], name) for name in wanted})


def check(instance: Any, **stricter: Any) -> None:
    """Raise InputError where a field of a dataclass is not what its type, or a stricter one, says.

    What is no dataclass is not looked at.
    """
    if not is_dataclass(instance):
        return
    for name, hint in (hints_of(type(instance)) | stricter).items():
        try:
            fitted(hint, getattr(instance, name), name)
        except ValueError as error:
            raise InputError(f"{type(instance).__name__}: {error}") from None


def hints_of(kind: type) -> dict[str, Any]:
    """The types of a class's fields; none where they are names that nobody knows."""
    try:
        every = get_type_hints(kind, include_extras=True)
    except (NameError, TypeError):
        return {}
    return {each.name: every[each.name] for each in fields(kind) if each.name in every}


def fitted(hint: Any, value: Any, name: str) -> Any:
    """The value as the type wants it; raises ValueError where it is none of it."""
    bounds, origin, inner = None, get_origin(hint), get_args(hint)
    if origin is Annotated:
        hint, bounds = inner[0], next((i for i in inner[1:] if isinstance(i, Within)), None)
        origin, inner = get_origin(hint), get_args(hint)
    if hint in UNSAID:
        return _number(hint, bounds or UNSAID[hint], value, name)
    if origin is tuple:
        return _tuple(inner, value, name)
    if origin in (Union, UnionType):
        return _one_of(inner, value, name)
    right = True
    if origin is Literal:
        right = any(value == known and type(value) is type(known) for known in inner)
    elif hint is None or hint in WORDS:
        right = type(value) is (type(None) if hint is None else hint)
    return value if right else _refuse(hint, value, name)


def _number(kind: type, bounds: Within, value: Any, name: str) -> Any:
    known = int if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, known):
        _refuse(kind, value, name)
    if not bounds.least <= value <= bounds.most or (kind is float and not _finite(value)):
        least, most = (f"{n:,g}" if isinstance(n, float) else f"{n:,}" for n in bounds)
        span = "a finite number" if math.isinf(bounds.most) else f"from {least} to {most}"
        raise ValueError(f"{name}: {shown(value)}, not {span}")
    return value


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _tuple(inner: tuple, value: Any, name: str) -> tuple:
    hints = list(inner)
    if isinstance(value, (list, tuple)) and inner[1:] == (...,):
        hints = inner[:1] * len(value)
    if not isinstance(value, (list, tuple)) or len(hints) != len(value):
        _refuse(tuple[inner], value, name)
    return tuple(fitted(hint, each, name) for hint, each in zip(hints, value, strict=True))


def _one_of(hints: tuple, value: Any, name: str) -> Any:
    """The value as the first of several types that it fits."""
    reason = None
    for hint in hints:
        try:
            return fitted(hint, value, name)
        except ValueError as error:
            reason = reason or error  # None comes last
    raise reason


def _refuse(hint: Any, value: Any, name: str) -> Any:
    raise ValueError(f"{name}: {shown(value)}, not {_in_words(hint)}")


def shown(value: Any) -> str:
    """A value as it is told of, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def is_long(text: Any) -> bool:
    """Whether it is text that is cut where it is told of."""
    return isinstance(text, str) and shown(text) != repr(text)


def told(value: Any) -> str:
    """A value as `shown`, but text as it is where it is short."""
    return value if isinstance(value, str) and not is_long(value) else shown(value)


def _in_words(hint: Any) -> str:
    """A type in words."""
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        count = "" if inner[1:] == (...,) else f"{len(inner)} "
        return f"a list of {count}{'whole ' * (inner[:1] == (int,))}numbers"
    return {int: "a whole number", float: "a number", None: "null"}.get(hint) or WORDS[hint]
