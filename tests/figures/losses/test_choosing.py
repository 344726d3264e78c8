"""mgk_docs_src/figures/losses/choosing.py: 그림이 안내표와 페이지의 설명과 같은 내용을 보인다."""

import itertools
import math
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from matplotlib.figure import Figure

from mgk_docs_src.figures.losses.choosing import REST, WIDTH, guide, guide_rest, penalties, prior
from mgk_docs_src.figures.style import points, to_svg
from mgk_docs_src.losses.choosing import GOALS, GUIDE, LABELS, REFUSALS, SINGLE

RULES = {rule.name: rule for rule in GUIDE}


def curves(figure: Figure, axes: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    lines = figure.axes[axes].get_lines()
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines}


def walk(tree: Figure, groups: Sequence[tuple[str, ...]]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """그림의 글을 위에서 아래로 읽는다: (라벨, 목표)마다 (물음, 규칙의 이름)의 차례."""
    names = {", ".join(LABELS[labels] for labels in group): group for group in groups}
    goals = {name: goal for goal, name in GOALS.items()}
    title, *texts = sorted(tree.axes[0].texts, key=lambda text: (text.get_position()[1], text.get_position()[0]))
    assert title.get_text() == "라벨이 무엇인가?"
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    group, asked, question = (), [], ""
    for text in texts:
        words = text.get_text().replace("\n", " ")
        if url := text.get_url():
            for labels, goal in itertools.product(group, asked):
                found.setdefault((labels, goal), []).append((question, url.removeprefix("#rule-")))
        elif words in names:
            group = names[words]
        elif set(words.split(", ")) <= set(goals):
            asked, question = [goals[word] for word in words.split(", ")], ""
        else:
            question = words
    return found


def test_the_tree_says_what_the_guide_says() -> None:
    # 그림을 읽어 얻은 길을 표에서 얻은 길과 비교한다. 답이 없는 물음은 가지도 없다.
    found = walk(guide(), [SINGLE]) | walk(guide_rest(), REST)
    for labels in LABELS:
        for goal in GOALS:
            refused = any(labels in refusal.labels and goal in refusal.goals for refusal in REFUSALS)
            assert ((labels, goal) in found) != refused, (labels, goal)
            if refused:
                continue
            # 다른 라벨이나 다른 목표만 받는 줄은 그 이름을 물어 거른다.
            path = []
            for question, name in found[labels, goal]:
                asked = question.split(", ")
                rest = list(asked)
                for own, every in ((labels, LABELS), (goal, GOALS)):
                    named = [part for part in asked if part in every.values()]
                    rest = [part for part in rest if part not in named]
                    if named and every[own] not in named:
                        break
                else:
                    path.append((", ".join(rest), RULES[name]))
            assert [rule for _, rule in path] == [rule for rule in GUIDE if rule.asks(labels, goal)]
            for question, rule in path[:-1]:
                assert question == rule.condition
                assert rule.condition
            assert path[-1][0] in ("", "그 밖")
            assert not path[-1][1].condition


def test_the_leaves_are_links_in_reading_order() -> None:
    every = set()
    for tree in (guide, guide_rest):
        svg = to_svg(tree())
        links = re.findall(r'<a xlink:href="#rule-([\w-]+)"', svg)
        every |= set(links)
        texts = [text for text in tree().axes[0].texts if text.get_url()]
        assert links == [str(text.get_url()).removeprefix("#rule-") for text in texts]
        heights = [text.get_position()[1] for text in texts]
        assert heights == sorted(heights)
        for text in texts:
            assert text.get_text() == RULES[str(text.get_url()).removeprefix("#rule-")].loss
        assert len(svg) < 40_000
    assert every == set(RULES)


@pytest.mark.parametrize("tree", [guide, guide_rest])
def test_the_words_of_the_tree_do_not_touch(tree: Callable[[], Figure]) -> None:
    texts = tree().axes[0].texts
    assert min(text.get_fontsize() for text in texts) >= 10
    rows = sorted({text.get_position()[1] for text in texts})
    assert min(np.diff(rows)) >= 0.35  # 인치. 두 줄짜리 10 pt 글이 들어간다
    ends: dict[float, float] = {}
    for text in texts:  # 같은 높이의 글은 왼쪽의 것이 끝난 뒤에 시작하고, 마지막은 그림을 넘지 않는다
        x, y = text.get_position()
        assert x >= ends.get(y, 0.0)
        ends[y] = x + max(points(line) for line in text.get_text().split("\n")) / 72
        assert ends[y] <= WIDTH


def test_only_bounded_losses_let_go_of_a_sure_mistake() -> None:
    figure = penalties()
    (p, ce), (_, focal), (_, gce), (_, brier) = curves(figure).values()
    assert (focal <= ce).all()
    assert (gce <= ce).all()
    assert gce.max() < 1 / 0.7 < brier.max() < 2
    assert ce[0] == pytest.approx(-math.log(p[0]))
    (_, push), (_, focal_push), (_, gce_push), (_, brier_push) = curves(figure, 1).values()
    np.testing.assert_allclose(push, 1 - p, atol=1e-12)
    np.testing.assert_allclose(gce_push, p**0.7 * (1 - p), atol=1e-12)
    np.testing.assert_allclose(brier_push, 4 * p * (1 - p) ** 2, atol=1e-12)
    # 확신하며 틀린 표본: 초점 손실은 교차 엔트로피보다 세게, 나머지 둘은 거의 밀지 않는다
    sure = p < 0.02
    assert (focal_push[sure] > push[sure]).all()
    assert gce_push[sure].max() < 0.1
    assert brier_push[sure].max() < 0.1
    # 잘 맞힌 표본은 초점 손실이 가장 덜 민다
    easy = p > 0.9
    assert (focal_push[easy] < np.minimum(push, gce_push)[easy]).all()


def test_the_boundary_moves_to_the_rare_side() -> None:
    (x, common), (_, rare), (plain, _), (adjusted, _) = curves(prior()).values()
    crossing = x[np.argmax(rare > common)]
    assert crossing == pytest.approx(plain[0], abs=0.05)
    assert plain[0] == pytest.approx(math.log(20) / 2)
    equal = x[np.argmax(20 * rare > common)]
    assert equal == pytest.approx(adjusted[0], abs=0.05)
    assert np.trapezoid(common, x) == pytest.approx(20 / 21, abs=1e-3)
    assert np.trapezoid(rare, x) == pytest.approx(1 / 21, abs=1e-3)
