"""GAN 실습의 지표: 찾은 봉우리의 수만으로는 드러나지 않는 퍼짐과 혼합 비율 오차를 잰다."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import REAL


class Shape(NamedTuple):
    """표본이 봉우리 안에서 퍼진 정도와, 혼합 비율이 균등한 비율에서 벗어난 정도.

    Attributes:
        spread: 퍼짐. 3σ 안에 든 표본이 가장 가까운 봉우리의 중심에서 떨어진 정도(좌표 하나의 표준 편차). 참 분포에서는
            0.195다.
        imbalance: 혼합 비율 오차. 봉우리마다의 비율과 참 혼합 비율 1/8의 차이, 0–7/8. 균등하게 만들려면 이만큼의 질량을
            다른 봉우리로 옮겨야 한다.

    References:
        Metz, L. 외 (2017). Unrolled Generative Adversarial Networks, 3.1절.
    """

    spread: Float[Tensor, "*batch"]
    imbalance: Float[Tensor, "*batch"]


def peak_shape(samples: Float[Tensor, "*batch n 2"]) -> Shape:
    r"""봉우리 안의 퍼짐과 봉우리 사이의 혼합 비율 오차.

    $$\mathrm{spread} = \sqrt{\tfrac12\, \mathbb{E}\bigl[ \lVert x - m_{k(x)} \rVert^2 \bigm|
    \lVert x - m_{k(x)} \rVert \le 0.6 \bigr]}, \qquad
    \mathrm{imbalance} = \tfrac12 \sum_{k} \bigl| \Pr(k(x) = k) - \tfrac18 \bigr|$$

    $k(x)$는 가장 가까운 봉우리의 번호, $m_k$는 봉우리의 중심이다. 참 분포의 퍼짐은
    $0.2\sqrt{1 - 4.5 / (e^{4.5} - 1)} = 0.195$다.

    Args:
        samples: [`eight_gaussians`][mgk_docs_src.data.eight_gaussians]를 학습한 모델의 표본. 앞의 축은 따로 잰다.

    Returns:
        퍼짐과 혼합 비율 오차. 3σ 안에 든 표본이 없으면 퍼짐은 nan이다.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 비었거나, 모양이 (…, n, 2)가 아니거나, 유한하지 않은 값이 있으면.

    References:
        Metz, L. 외 (2017). Unrolled Generative Adversarial Networks, 3.1절.
    """
    checks.floating(samples=samples)
    checks.ndim(2, math.inf, samples=samples)
    checks.nonempty(samples=samples)
    checks.shape((*samples.shape[:-1], 2), samples=samples)
    checks.within(samples=(samples, REAL))
    turn = math.pi / 4
    peak = (
        torch.round(torch.atan2(samples[..., 1], samples[..., 0]) / turn) % 8
    )  # 중심이 원 위에 있으므로 각도만으로 가장 가까운 봉우리를 안다
    centre = 2 * torch.stack([torch.cos(turn * peak), torch.sin(turn * peak)], -1)
    square = (samples - centre).square().sum(-1)  # (..., n)
    near = square <= 0.6**2
    spread = torch.where(near, square, 0).sum(-1) / near.sum(-1) / 2
    share = (peak.unsqueeze(-1) == torch.arange(8, device=peak.device)).to(samples.dtype).mean(-2)  # (..., 8)
    return Shape(spread.sqrt(), (share - 1 / 8).abs().sum(-1) / 2)
