"""Bounds on what a template may do, counted while it renders.

Jinja2's sandbox keeps a template from what is not its business, but lets it use
all memory and all time: ``'%1000000000d' % 1``, loops in loops. Time cannot be
bounded from outside: one operation of Python's can take hours, and cannot be
interrupted. So each operation of a template is counted before it is done, by the
weight of what goes in and of what can come out (`amplifiers`). The unit is about a
byte, or a nanosecond or ten. A count is the same on every machine, however busy.

What counts is put into the template's tree before it is compiled (`instrument`), and
around all of Jinja's own filters. Nothing is computed while compiling, as Jinja's
optimizer would.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined
from jinja2.runtime import Context, markup_join, str_join
from jinja2.sandbox import SandboxedEnvironment, safe_range
from jinja2.utils import _PassArg, pass_context

from perfscale.templates.bounds.amplifiers import FILTERS, METHODS, TooMuchError, formatted
from perfscale.templates.bounds.instrument import instrument
from perfscale.templates.bounds.weights import (
    CALL,
    MAX_WEIGHT,
    STEP,
    TOO_LARGE,
    Budget,
    check_bits,
    weight_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from jinja2 import nodes

_MAX_EXPONENT: Final = 64

_NUMBERS: Final = (int, float)


class Meter(Budget, Context):
    """Jinja's context of one rendering, with the count of what it has done.

    Attributes:
        spent: The count; all contexts of a rendering share it.
        chance: What `random` draws from; None draws from the system's randomness.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Jinja's signature
        super().__init__(*args, **kwargs)
        self.spent = [0]
        self.chance: Random | None = None

    def derived(self, locals: dict[str, Any] | None = None) -> Context:  # noqa: A002 - Jinja's name
        """As Jinja does, with the same count and chance."""
        context = super().derived(locals)
        if isinstance(context, Meter):
            context.spent, context.chance = self.spent, self.chance
        return context


class MeteredEnvironment(SandboxedEnvironment):
    """Jinja's sandbox, with everything in it counted.

    Args:
        finalize: What makes the text of an expression's value.
    """

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    context_class = Meter

    def __init__(self, finalize: Callable[[object], object]) -> None:
        @pass_context
        def printed(meter: Meter, value: object) -> object:
            meter.weigh(value)
            # As they are: nearly all values, in each of many renderings.
            return value if type(value) in (str, int) else finalize(value)

        super().__init__(
            undefined=StrictUndefined,
            finalize=printed,
            keep_trailing_newline=True,
            autoescape=False,  # manifests are YAML, not HTML
            optimized=False,
        )
        self.globals = {"range": safe_range}
        self.filters["random"] = _choose
        self.filters = {name: _metered(name, each) for name, each in self.filters.items()}
        self.tests = {name: _metered(name, each) for name, each in self.tests.items()}
        self.filters |= {"#weigh": _weigh, "#each": _each, "#concat": _concat, "#spend": _spend}

    def metered(self, tree: nodes.Template) -> nodes.Template:
        """The tree of a template, with what counts put into it."""
        instrument(tree)
        tree.set_environment(self)
        return tree

    def call_binop(  # type: ignore[override] # every context here is a Meter
        self,
        context: Meter,
        operator: str,
        left: Any,  # noqa: ANN401 - Jinja's signature
        right: Any,  # noqa: ANN401 - as above
    ) -> object:
        """``left operator right``, unless the result would be too large."""
        if isinstance(left, _NUMBERS) and isinstance(right, _NUMBERS):
            _check_numbers(operator, left, right)
            context.spend(STEP)
        else:
            context.spend(_operation(operator, left, right))
        result = super().call_binop(context, operator, left, right)
        context.weigh(result)
        return result

    def call(  # type: ignore[override] # as above
        self,
        context: Meter,
        callee: Any,  # noqa: ANN401 - as above
        /,
        *args: Any,  # noqa: ANN401 - as above
        **kwargs: Any,  # noqa: ANN401 - as above
    ) -> object:
        """Call a macro, a loop, or a method, unless its result would be too large."""
        arguments = (*args, *kwargs.values())
        context.spend(CALL)
        given = sum(map(context.weigh, arguments))
        # Jinja hides a text's own `format` behind a function that wraps it.
        method = getattr(callee, "__wrapped__", callee)
        owner = getattr(method, "__self__", None)
        bound = METHODS.get(getattr(method, "__name__", ""))
        if isinstance(owner, (str, bytes)):
            context.spend(STEP * len(owner))
        if bound and isinstance(owner, (str, bytes, int)):
            given += context.weigh(owner)
            context.spend(bound(owner, arguments, given))
        result = super().call(context, callee, *args, **kwargs)
        context.weigh(owner)  # it may have grown: `list.append`
        context.weigh(result)
        return result


def _check_numbers(operator: str, left: float, right: float) -> None:
    if operator == "**":
        if abs(right) > _MAX_EXPONENT:
            raise TooMuchError(f"the exponent {right} is above {_MAX_EXPONENT}")
        if isinstance(left, int):
            check_bits(left.bit_length() * abs(right))
    if operator == "*" and isinstance(left, int) and isinstance(right, int):
        check_bits(left.bit_length() + right.bit_length())


def _operation(operator: str, left: Any, right: Any) -> int:  # noqa: ANN401 - whatever stands there
    """What an operation on other than two numbers costs."""
    weights = weight_of(left) + weight_of(right)
    if operator == "%" and isinstance(left, (str, bytes)):
        return formatted(left, right, weights)
    if operator == "*":
        for value, count in ((left, right), (right, left)):
            if isinstance(count, int) and not isinstance(value, _NUMBERS):
                repeated = (weight_of(value) - STEP) * max(count, 0)
                if repeated > MAX_WEIGHT:
                    raise TooMuchError(f"repeating it {count} times: {TOO_LARGE}")
                return weights + repeated
    return weights


def _metered(
    name: str,
    function: Any,  # noqa: ANN401 - Jinja's table holds any function
) -> Callable[..., Any]:
    """A filter or test of Jinja's, counted."""
    bound = FILTERS.get(name)
    passed = _PassArg.from_obj(function)

    @pass_context
    def metered(meter: Meter, value: object, /, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - any filter
        arguments = (*args, *kwargs.values())
        weight = meter.weigh(value) + sum(map(meter.weigh, arguments))
        if isinstance(value, (str, bytes)):
            meter.spend(STEP * len(value))  # it may be taken character by character
        if bound:
            meter.spend(bound(value, arguments, weight))
        first: tuple[object, ...] = ()
        if passed is _PassArg.context:
            first = (meter,)
        elif passed is _PassArg.eval_context:
            first = (meter.eval_ctx,)
        elif passed is _PassArg.environment:
            first = (meter.environment,)
        result = function(*first, value, *args, **kwargs)
        if isinstance(result, Iterator):
            result = list(_counted(meter, result))
        meter.weigh(result)
        return result

    return metered


def _counted(meter: Meter, values: Iterator[Any]) -> Iterator[Any]:
    for value in islice(values, MAX_WEIGHT // STEP + 1):
        meter.spend(STEP)
        yield value


@pass_context
def _choose(meter: Meter, values: Sequence[Any]) -> object:
    """Jinja's own filter `random`, repeatable where the run is."""
    if not values:
        return meter.environment.undefined("No random item, sequence was empty.")
    return values[(meter.chance or SystemRandom()).randrange(len(values))]


@pass_context
def _weigh(meter: Meter, value: object) -> object:
    meter.weigh(value)
    return value


@pass_context
def _each(meter: Meter, values: object, cost: int) -> object:
    """What a loop goes through, counted with what its condition costs for each of it."""
    count = len(values) if isinstance(values, str) else meter.weigh(values) // STEP
    meter.spend(count * (STEP + cost))
    return values


@pass_context
def _concat(meter: Meter, values: list[Any]) -> object:
    meter.weigh(values)
    return (markup_join if meter.eval_ctx.autoescape else str_join)(values)


@pass_context
def _spend(meter: Meter, cost: int) -> None:
    meter.spend(cost)
