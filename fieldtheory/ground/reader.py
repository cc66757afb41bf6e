"""From text to a polynomial, by a reader that knows a grammar of six lines and nothing else.

    sum      = product { (+ | -) product }
    product  = signed { (* | /) signed }             division by a number only
    signed   = { + | - } power
    power    = atom [ (^ | **) integer ]             one literal exponent, no towers
    atom     = integer ! | number | name | ( sum )

Nothing a user typed is ever evaluated, and an absurd text is refused before it costs anything.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import NoReturn

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.polynomial import (
    BITS,
    DEGREE,
    Polynomial,
    added,
    affordable,
    factors,
    product,
    short,
    work,
)

CHARACTERS = 20_000
NESTING = 100

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:"
    r"(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|[-+*/^()!])"
    r"|(?P<end>$)"
    r"|(?P<other>.))",
    re.DOTALL,
)


def polynomial(text: str) -> Polynomial:
    """The polynomial written in `text`, its coefficients exact: 0.1 is one tenth.

    Names, whole or decimal or scientific numbers, `4!`, + - * / ^ (or **) and parentheses.
    Raises `InvalidInput` with the place of the fault and what to write instead.

    >>> print(polynomial("phi^2/2 + g*phi^4/4!"))
    1/2*phi^2 + 1/24*g*phi^4
    >>> polynomial("x0 + 2x1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fieldtheory.ground.errors.InvalidInput: ... a sign is missing; write * to multiply, as in 2*x0
    """
    return _Reader(text).polynomial()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int


class _Reader:
    """One pass over one text; `here` is the token that is read next."""

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise InvalidInput(f"a polynomial is given as text like 'x0 + 0.5*x0*x1', not {text!r}")
        if len(text) > CHARACTERS:
            raise InvalidInput(
                f"a polynomial of {len(text)} characters: give at most {CHARACTERS}, "
                "or the power per degree"
            )
        self.text = text
        self.work = 0
        self.depth = 0
        self.end = 0
        self.here = self.following()

    def polynomial(self) -> Polynomial:
        if self.here.kind == "end":
            self.refuse("nothing is written", "give a polynomial like 'x0 + 0.5*x0*x1'")
        result = self.sum()
        if self.here.kind != "end":
            self.unexpected()
        return result

    def following(self) -> _Token:
        match = _TOKEN.match(self.text, self.end)
        assert match is not None  # the last alternative is anything
        self.end = match.end()
        kind = str(match.lastgroup)
        return _Token(kind, match.group(kind), match.start(kind))

    def take(self) -> _Token:
        token, self.here = self.here, self.following()
        return token

    def sees(self, *signs: str) -> bool:
        return self.here.kind == "sign" and self.here.text in signs

    def sum(self) -> Polynomial:
        where, parts = self.here, [self.product()]
        while self.sees("+", "-"):
            sign = self.take()
            part = self.product()
            parts.append(part if sign.text == "+" else -part)
        try:
            return parts[0] if len(parts) == 1 else added(parts)
        except InvalidInput as error:
            self.refuse(str(error), "", where)

    def product(self) -> Polynomial:
        result = self.signed()
        while self.sees("*", "/"):
            sign = self.take()
            factor = self.signed()
            if sign.text == "/":
                factor = self.inverse(factor, sign)
            result = self.multiply(result, factor, sign)
        return result

    def signed(self) -> Polynomial:
        negative = False
        while self.sees("+", "-"):
            negative ^= self.take().text == "-"
        result = self.power()
        return -result if negative else result

    def power(self) -> Polynomial:
        base = self.atom()
        if not self.sees("^", "**"):
            return base
        sign, token = self.take(), self.take()
        advice = f"write one whole number from 0 to {DEGREE} after {sign.text}, as in x0^2"
        if token.kind != "number" or not token.text.isdigit():
            self.refuse("an exponent must be a literal whole number", advice, token)
        if len(token.text) > 4 or int(token.text) > DEGREE:
            self.refuse(f"the exponent {token.text[:12]} is above {DEGREE}", advice, token)
        if self.sees("^", "**", "!"):
            self.refuse("a power of a power", "say which with parentheses, as in (x0^2)^3")
        try:
            repeated = factors(base, int(token.text))
        except InvalidInput as error:
            self.refuse(str(error), "", sign)
        result = Polynomial.number(1)
        for factor in repeated:
            result = self.multiply(result, factor, sign)
        return result

    def atom(self) -> Polynomial:
        token = self.take()
        if token.kind == "number":
            return Polynomial.number(self.number(token))
        if token.kind == "name":
            if self.sees("("):
                self.refuse("functions are not known here", "write * to multiply", token)
            if len(token.text) > 64:
                self.refuse("this name is very long", "give a name of at most 64 letters", token)
            return Polynomial.variable(token.text)
        if token.kind != "sign" or token.text != "(":
            self.unexpected(token)
        self.depth += 1
        if self.depth > NESTING:
            self.refuse(f"parentheses deeper than {NESTING}", "multiply some out", token)
        inside = self.sum()
        if not self.sees(")"):
            self.refuse("a parenthesis is not closed", "write ) here", self.here)
        self.take()
        self.depth -= 1
        return inside

    def number(self, token: _Token) -> Fraction:
        if self.sees("!"):
            if not token.text.isdigit() or len(token.text) > 4 or int(token.text) > DEGREE:
                self.refuse(
                    "a factorial of this number", f"give a whole number up to {DEGREE}", token
                )
            self.take()
            return Fraction(factorial(int(token.text)))
        digits, _, exponent = token.text.lower().partition("e")
        if len(digits) > BITS // 3 or len(exponent) > 5 or abs(int(exponent or 0)) > BITS // 4:
            self.refuse("this number is absurdly long or large", "give an ordinary number", token)
        try:
            return short(Fraction(token.text))
        except InvalidInput as error:
            self.refuse(str(error), "", token)

    def multiply(self, a: Polynomial, b: Polynomial, where: _Token) -> Polynomial:
        self.work += work(a, b)
        try:
            affordable(self.work)
            return product(a, b)
        except InvalidInput as error:
            self.refuse(str(error), "", where)

    def inverse(self, divisor: Polynomial, where: _Token) -> Polynomial:
        if set(divisor.terms) - {()}:
            self.refuse("division by a variable", "divide by numbers only", where)
        if not divisor.terms:
            self.refuse("division by zero", "divide by another number", where)
        return Polynomial.number(1 / divisor.terms[()])

    def unexpected(self, token: _Token | None = None) -> NoReturn:
        token = token or self.here
        if token.kind == "end":
            self.refuse("the text stops too early", "write a number, a name or (", token)
        if token.kind in ("number", "name") or token.text == "(":
            self.refuse("a sign is missing", "write * to multiply, as in 2*x0", token)
        self.refuse(
            f"{token.text!r} is not expected", "use numbers, names, + - * / ^ and ( )", token
        )

    def refuse(self, fault: str, advice: str, token: _Token | None = None) -> NoReturn:
        place = (token or self.here).start
        before = ("... " if place > 30 else "") + self.text[max(0, place - 30) : place]
        after = self.text[place : place + 30] + (" ..." if len(self.text) > place + 30 else "")
        excerpt = re.sub(r"[\x00-\x1f\x7f]", " ", f"{before}>>>{after}")
        raise InvalidInput(
            f'polynomial, character {place + 1}, after >>> in "{excerpt}": '
            + (f"{fault}; {advice}" if advice else fault)
        ) from None
