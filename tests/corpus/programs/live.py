"""Values that change while they are looked at, and odd ways to be called."""

import collections
import threading
from dataclasses import dataclass, field
from typing import Any

from .registry import program

ROUNDS = 10


def _while_changing(guard, make, change):
    """Return a value many times over while another thread changes it."""
    value, over = make(), threading.Event()

    @guard(returns=Any)
    def check():
        return value

    def keep_changing():
        number = 0
        while not over.is_set():
            number += 1
            change(value, number)

    thread = threading.Thread(target=keep_changing)
    thread.start()
    try:
        return all(check() is value for _ in range(ROUNDS))
    finally:
        over.set()
        thread.join()


def _flip(container, number):
    (container.discard if number % 2 else container.add)("flipped")


def _slide(window, number):
    window.append(number)
    window.popleft()


def _toggle(mapping, number):
    mapping[f"k{number % 50}"] = number
    mapping.pop(f"k{(number + 25) % 50}", None)


@dataclass
class State:
    values: dict[str, Any] = field(default_factory=dict)


@program
def set_changed_by_another_thread(guard):
    return _while_changing(guard, lambda: set(map(str, range(5_000))), _flip)


@program
def deque_changed_by_another_thread(guard):
    make = lambda: collections.deque(map(str, range(5_000)))  # noqa: E731
    return _while_changing(guard, make, _slide)


@program
def dict_changed_by_another_thread(guard):
    return _while_changing(guard, lambda: dict.fromkeys("abc" * 999), _toggle)


@program
def attributes_changed_by_another_thread(guard):
    def change(state, number):
        _toggle(vars(state), number)

    return _while_changing(guard, State, change)


@program
def user_dict_changed_by_another_thread(guard):
    def change(mapping, number):
        _toggle(mapping.data, number)

    return _while_changing(guard, collections.UserDict, change)


@program
def arguments_with_treacherous_names(guard):
    @guard(returns=Any)
    def check(ALERT, value=1, *, error=2, self=3, function=4):  # noqa: N803
        return [ALERT, value, error, self, function]

    return check(ALERT=0), check(1, 2, error=3), check(None)


@program
def arguments_of_every_kind(guard):
    @guard(returns=Any)
    def check(a, b=[], /, c=1, *rest, d, e=(), **more):
        b.append(a)
        return [a, list(b), c, rest, d, e, more]

    first = check(1, d=4)
    return first, check(2, [0], 3, 4, d=5, e=6, a=7, b=8), check(3, d=0)


@program
def private_arguments_of_a_method(guard):
    class Service:
        @guard(returns=Any)
        def check(self, __name="redis", *, __strict=True):  # noqa: PYI063
            return __name, __strict

    return Service().check(), Service().check("database")


@program
def defaults_changed_after_the_fact(guard):
    def check(name="redis", *, strict=True):
        return name, strict

    guarded = guard(returns=Any)(check)
    return guarded(), guarded("database", strict=False)


@program
def closures_and_nonlocals(guard):
    count = 0

    @guard(returns=Any)
    def check():
        nonlocal count
        count += 1
        return count

    return check(), check(), count


@program
def super_in_a_guarded_method(guard):
    class Base:
        @guard(returns=Any)
        def check(self):
            return ["base"]

    class Child(Base):
        @guard(returns=Any)
        def check(self):
            return [*super().check(), "child", __class__.__name__]

    return Child().check()


@program
def class_and_static_methods_in_either_order(guard):
    class Service:
        @classmethod
        @guard(returns=Any)
        def one(cls):
            return cls.__name__

        @guard(returns=Any)
        @classmethod
        def two(cls):
            return cls.__name__

        @staticmethod
        @guard(returns=Any)
        def three(name):
            return name

        @guard(returns=Any)
        @staticmethod
        def four(name):
            return name

    child = type("Child", (Service,), {})
    return child.one(), child().two(), child.three(3), child().four(4)


@program
def deep_value(guard):
    @guard(returns=Any)
    def check(value):
        return value

    value = []
    for _ in range(10_000):
        value = [value]
    seen = check(value) is value
    while value:
        value = value.pop()
    return seen
