"""mgk_book/markdown/reading.py: 수식을 한 줄의 글로 읽는다."""

import pytest

from mgk_book.markdown.math import mathml

READINGS = {
    r"\sigma(z) = \frac{1}{1+e^{-z}}": "σ(z) = 1/(1 + e^(−z))",
    r"q(x_t \mid x_{t-1}) = \mathcal{N}\bigl(\sqrt{1 - \beta_t}\, x_{t-1},\; \beta_t I\bigr)": (
        "q(x_t ∣ x_(t − 1)) = N(√(1 − β_t)x_(t − 1), β_t I)"
    ),
    r"\hat x_0, \bar\alpha_t, \tilde\mu, \dot x, \vec v, \overline{E^2}": "x̂_0, ᾱ_t, μ̃, ẋ, v, E^2",
    r"-\log \operatorname{softmax}(-z)_1": "−log softmax(−z)_1",
    r"\sum_{i=1}^N y_i \log p_i": "∑_(i = 1)^N y_i log p_i",
    r"\frac{a + b}{2n} + \tfrac12 x'": "(a + b)/(2n) + 1/2 x′",
    r"\begin{cases}1 & x > 0\\ 0 & x \le 0\end{cases}": "{1 x > 0; 0 x ≤ 0",
    r"\underbrace{a + b}_{\text{합}} + \underbrace{c}": "a + b (합) + c",
    r"\min_\theta \max_\phi V, \qquad 10^{-12}": "min_θ max_ϕ V, 10^(−12)",
    r"\mathbb{E}_{x \sim p}[f(x)]": "E_(x ∼ p)[f(x)]",
    r"\max(0, -a)": "max(0, −a)",
    r"2 \sum_j x_j": "2 ∑_j x_j",
    r"+": "+",
    r"\quad": "",
}


@pytest.mark.parametrize(("latex", "read"), READINGS.items())
def test_a_formula_is_read_in_one_line(latex: str, read: str) -> None:
    assert mathml(latex, block=True)[0][1].text == read
