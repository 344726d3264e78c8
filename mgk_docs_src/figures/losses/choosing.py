"""`docs/losses/choosing.md`의 그림."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import Tensor

from mgk_docs_src.figures.style import BLUE, FAINT, GREEN, INK, ORANGE, PAPER, PURPLE, panels, points
from mgk_docs_src.losses.categorical import cross_entropy
from mgk_docs_src.losses.choosing import (
    GOALS,
    GUIDE,
    LABELS,
    SINGLE,
    Rule,
    brier_loss,
    focal_loss,
    generalised_cross_entropy,
)

WIDTH, ROW, GAP = 5.0, 0.37, 0.14  # 인치. 너비, 줄의 높이, 라벨 사이의 빈칸
TRUNK, TWIG, LEAF = 0.12, 0.42, 2.9  # 줄기, 잔가지, 잎의 왼쪽 끝
INDENT = 0.2  # 가지에서 글까지
REST = tuple((labels,) for labels in LABELS if labels not in SINGLE)


class _Line(NamedTuple):
    """나무의 한 줄: 들여쓴 깊이, 물음이나 답, 끝에 달린 규칙."""

    depth: int
    text: str
    rule: Rule | None = None

    @property
    def height(self) -> float:
        """10 pt 글이 여러 줄이면 그만큼 높다."""
        return max(ROW, 0.12 + 0.174 * (1 + self.text.count("\n")))


def guide() -> Figure:
    """클래스 라벨(이진, 다중 클래스)의 안내표를 나무로 그린다. 잎은 페이지의 표에서 그 줄을 가리키는 링크다."""
    return _tree([SINGLE])


def guide_rest() -> Figure:
    """그 밖의 라벨의 안내표를 나무로 그린다."""
    return _tree(REST)


def _tree(wanted: Sequence[tuple[str, ...]]) -> Figure:
    groups = [(", ".join(LABELS[name] for name in group), list(_lines(group))) for group in wanted]
    height = 2 * ROW + sum(ROW + sum(line.height for line in lines) + GAP for _, lines in groups)
    with panels(height=height) as (figure, (axes,)):
        axes.set_axis_off()
        axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        axes.text(0, ROW / 2, "라벨이 무엇인가?", fontsize=12, va="center")
        y = 1.5 * ROW
        for name, lines in groups:
            axes.text(0.04, y, name, fontsize=11, color=PURPLE, va="center", linespacing=1.25)
            y = _branches(axes, y, lines) + ROW + GAP
    return figure


def penalties() -> Figure:
    """정답의 확률에 대한 네 손실과, 정답의 로짓을 미는 힘을 그린다. 클래스는 둘이다."""
    z = torch.linspace(-6, 6, 241, dtype=torch.float64)
    label = torch.zeros(len(z), dtype=torch.int64)
    losses: dict[str, tuple[Callable[[Tensor], Tensor], str, str]] = {
        "교차 엔트로피": (lambda z: cross_entropy(z, label, reduction="none"), BLUE, "-"),
        "초점 손실 γ = 2": (lambda z: focal_loss(z, label, reduction="none"), ORANGE, "--"),
        "일반화 교차 엔트로피 q = 0.7": (
            lambda z: generalised_cross_entropy(z, label, reduction="none"),
            GREEN,
            "-.",
        ),
        "브라이어 손실": (lambda z: brier_loss(z, label, reduction="none"), PURPLE, ":"),
    }
    with panels(2) as (figure, (above, below)):
        for name, (loss, color, style) in losses.items():
            gap = z.clone().requires_grad_()
            value = loss(torch.stack([gap, torch.zeros_like(gap)], 1))
            (slope,) = torch.autograd.grad(value.sum(), gap)
            above.plot(torch.sigmoid(z), value.detach(), style, color=color, label=name)
            below.plot(torch.sigmoid(z), -slope, style, color=color, label=name)
        above.set(title="벌점", xlabel="정답의 확률", ylabel="손실", ylim=(-0.1, 5))
        below.set(title="정답의 로짓을 미는 힘", xlabel="정답의 확률", ylabel="힘")
        above.legend(loc="upper right", fontsize=10)
    return figure


def prior() -> Figure:
    """표본 수가 20:1인 두 클래스. 결정 경계가 드문 클래스 쪽으로 밀리고, 로짓을 보정하면 한가운데로 돌아온다."""
    x = torch.linspace(-5, 5, 241)
    common, rare = (torch.exp(-0.5 * (x - centre).square()) / math.sqrt(2 * math.pi) for centre in (-1.0, 1.0))
    share = 1 / 21
    with panels() as (figure, (axes,)):
        axes.plot(x, (1 - share) * common, color=BLUE, label="많은 클래스, 20")
        axes.plot(x, share * rare, color=ORANGE, linestyle="--", label="드문 클래스, 1")
        # 로그 오즈 2x − log 20이 0인 곳. 로짓에서 log π를 빼면 2x만 남는다.
        for place, name, style in ((math.log(20) / 2, "그대로", "-"), (0.0, "보정", ":")):
            axes.axvline(place, color=INK, linestyle=style, linewidth=1.2)
            axes.annotate(name, (place, 0.33), (4, 0), textcoords="offset points", color=INK)
        axes.set(xlabel="특징 x", ylabel="빈도를 곱한 밀도", ylim=(0, 0.42))
        axes.legend(loc="upper left")
    return figure


def _lines(group: tuple[str, ...]) -> Iterator[_Line]:
    """라벨 한 무리의 가지. 한 목표의 길이 다른 목표의 길에 모두 들어 있으면 한 가지로 묶는다."""
    paths = {goal: [rule for rule in GUIDE if any(rule.asks(labels, goal) for labels in group)] for goal in GOALS}
    families: dict[tuple[str, ...], list[str]] = {}
    for goal, path in paths.items():
        if path:
            longest = max((each for each in paths.values() if all(rule in each for rule in path)), key=len)
            families.setdefault(tuple(rule.name for rule in longest), []).append(goal)
    for names, goals in families.items():
        path = [rule for rule in GUIDE if rule.name in names]
        depth = 1 if len(path) == 1 else 2
        asked = _wrapped(map(GOALS.__getitem__, goals), depth=1, leaf=depth == 1)
        if depth == 1:
            yield _Line(1, asked, path[0])
        else:
            yield _Line(1, asked)
            yield from (_Line(2, _question(rule, group, goals), rule) for rule in path)


def _question(rule: Rule, group: Sequence[str], goals: Sequence[str]) -> str:
    # 무리의 일부 라벨이나 일부 목표만 받는 줄이면 그 이름부터 묻는다.
    labels = [] if set(group) <= set(rule.labels) else [LABELS[name] for name in group if name in rule.labels]
    wanted = [] if set(goals) <= set(rule.goals) else [GOALS[name] for name in goals if name in rule.goals]
    asked = [*labels, *wanted, *filter(None, rule.condition.split(", "))]
    return _wrapped(asked or ["그 밖"], depth=2, leaf=True)


def _wrapped(parts: Iterable[str], *, depth: int, leaf: bool) -> str:
    """쉼표로 이은 말을, 칸의 너비를 넘지 않게 쉼표 뒤에서 줄을 바꾼다."""
    room = 72 * ((LEAF if leaf else WIDTH) - (TRUNK, TWIG)[depth - 1] - INDENT)
    lines: list[str] = []
    for part in parts:
        if lines and points(f"{lines[-1]}, {part},") <= room:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return ",\n".join(lines)


def _branches(axes: Axes, top: float, lines: list[_Line]) -> float:
    """한 무리의 줄들을 읽는 차례대로 그린다. 링크도 그 차례로 선다. 마지막 줄의 높이를 돌려준다."""
    stems = {0: (TRUNK, top), 1: (TWIG, top)}
    y, above = top, ROW
    for line in lines:
        y, above = y + (above + line.height) / 2, line.height
        x, start = stems[line.depth - 1]
        axes.plot([x, x, x + 0.16], [start + 0.14, y, y], color=FAINT, linewidth=1.2)
        axes.text(x + INDENT, y, line.text, fontsize=10, va="center", linespacing=1.25)
        if line.depth == 1:
            stems[1] = (TWIG, y)
        if line.rule is not None:
            _leaf(axes, y, line.rule)
    return y + (above - ROW) / 2


def _leaf(axes: Axes, y: float, rule: Rule) -> None:
    # 상자의 너비를 글에 맞추지 않는다. 읽는 사람의 글꼴이 더 넓어도 글이 넘치지 않아야 한다.
    box = FancyBboxPatch(
        (LEAF, y - 0.13),
        WIDTH - LEAF - 0.06,
        0.26,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=PAPER,
        edgecolor=BLUE,
        linewidth=1,
        mutation_aspect=1,
    )
    axes.add_patch(box)
    axes.text(LEAF + 0.09, y, rule.loss, fontsize=10, color=BLUE, va="center", url=f"#rule-{rule.name}")
