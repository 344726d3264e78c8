"""찍힌 글이 페이지에 적힌 출력과 같은가. 테스트와, 읽는 사람이 누른 실행이 함께 쓴다.

줄 수는 같아야 한다. 한 줄은 글과 수로 나누고, 글은 글자 그대로, 정수는 그대로 같아야 한다.
소수는 마지막 자리에서 하나까지 다를 수 있다. 자리의 크기는 페이지에 적힌 수가 정하고, 두 수의 자릿수가 다르면
더 촘촘한 쪽이 정한다(0.31 자리에 0.3133이 나오면 다른 것이다). 소수 자리가 없는 `1.`이나 `1e-07`은 값이
같아야 한다. nan과 inf는 글이다. 빈칸이 몇 개인지는 보지 않는다.
"""

import re
from decimal import Decimal

NUMBER = re.compile(
    r"""(?<![A-Za-z0-9_.])[-+]?
        (?: \d+ (?:\.\d*)? | \.\d+ ) (?:[eE][-+]?\d+)?
        (?![A-Za-z0-9_]|\.\d)""",
    re.VERBOSE,
)


def printed_lines(text: str) -> tuple[str, ...]:
    """찍힌 글을 줄로. 마지막 줄바꿈은 줄을 끝낼 뿐 새 줄을 만들지 않는다."""
    return tuple(text.removesuffix("\n").split("\n")) if text else ()


def same_line(expected: str, printed: str) -> bool:
    """한 줄이 허용 오차 안에서 같은가."""
    if _words(expected) != _words(printed):
        return False
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(printed), strict=True)
    return all(same_number(left, right) for left, right in pairs)


def same_number(expected: str, printed: str) -> bool:
    """두 수가 허용 오차 안에서 같은가. 정수는 정수끼리만 같다."""
    if expected == printed:
        return True
    places = _places(expected), _places(printed)
    if None in places:
        return False
    left, right = Decimal(expected), Decimal(printed)
    if 0 in places:
        return left == right
    unit = _unit(expected) if places[0] == places[1] else min(_unit(expected), _unit(printed))
    return abs(left - right) <= unit


def differing(expected: tuple[str, ...], printed: tuple[str, ...]) -> list[int]:
    """다른 줄의 번호들(0부터). 줄 수가 다르면 넘치거나 모자란 줄도 다른 줄이다."""
    shared = min(len(expected), len(printed))
    wrong = [i for i in range(shared) if not same_line(expected[i], printed[i])]
    return wrong + list(range(shared, max(len(expected), len(printed))))


def _words(line: str) -> list[str]:
    return NUMBER.sub("\0", line).split()


def _places(number: str) -> int | None:
    """소수점 아래에 적힌 자릿수. 정수면 None."""
    mantissa, _, exponent = number.lower().partition("e")
    _, point, fraction = mantissa.partition(".")
    return len(fraction) if point or exponent else None


def _unit(number: str) -> Decimal:
    """마지막 자리의 크기."""
    return Decimal(1).scaleb(int(Decimal(number).as_tuple().exponent))
