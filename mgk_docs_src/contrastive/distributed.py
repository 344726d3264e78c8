"""여러 과정으로 나눈 NT-Xent: `docs/contrastive/losses.md`. 배치가 장치 하나에 담기지 않을 때 쓴다."""

import math

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor

from mgk_docs_src import checks
from mgk_docs_src.checks import POSITIVE
from mgk_docs_src.contrastive.losses import _unit
from mgk_docs_src.losses.reduction import widen


def distributed_nt_xent(
    first_view: Float[Tensor, "n d"],
    second_view: Float[Tensor, "n d"],
    *,
    temperature: float,
    group: dist.ProcessGroup | None = None,
) -> Float[Tensor, ""]:
    r"""과정마다 제 몫의 두 시야를 들고, 오답은 모든 과정에서 모아 재는 NT-Xent.

    $$L = \frac{1}{2Wn} \sum_{i=1}^{2Wn} \left[ \log \sum_{j \ne i} e^{\ell_{ij}} - \ell_{i\,p(i)} \right], \qquad
    \ell_{ij} = \frac{\hat z_i^\top \hat z_j}{\tau}$$

    과정은 $W$개다. 값은 어느 과정에서나 이어 붙인 배치의 [`nt_xent`][mgk_docs_src.contrastive.losses.nt_xent]이고,
    제 임베딩에는 그 기울기의 $W$배가 흐른다. `DistributedDataParallel`이 매개변수의 기울기를 과정끼리 평균하면서 $W$로
    나누므로, 그 뒤에는 이어 붙인 배치의 기울기다. $P_{ij}$를 $i$가 $j$를 고를 확률이라 하면

    $$2n \cdot W \frac{\partial L}{\partial \hat z_i} =
    \frac{1}{\tau} \left[ \sum_{j \ne i} (P_{ij} + P_{ji})\, \hat z_j - 2 \hat z_{p(i)} \right], \qquad
    P_{ij} = \frac{e^{\ell_{ij}}}{\sum_{k \ne i} e^{\ell_{ik}}}$$

    이라, 남의 임베딩과 함께 줄마다의 $\log \sum$ 하나만 더 모으면 저마다 제 기울기를 다 안다. 모은 오답을 상수로만 두면
    $P_{ji}$의 몫이 빠져 다른 기울기가 된다. 과정은 $(2n, 2Wn)$ 행렬만 만들고, 뒤로 미분할 때는 주고받는 것이 없다.
    한 번만 미분할 수 있다.

    모든 과정이 함께 불러야 한다. 임베딩의 값은 모은 뒤에 살피므로 한 과정의 nan에도 모두 함께 멈춘다.
    CPU는 gloo, GPU는 NCCL로 돈다.

    Args:
        first_view: 이 과정이 맡은 첫째 시야의 임베딩.
        second_view: 이 과정이 맡은 둘째 시야의 임베딩. 모든 과정에서 같은 모양이다.
        temperature: 온도 $\tau > 0$. 모든 과정에서 같다.
        group: 과정의 무리. 기본값은 모든 과정.

    Returns:
        0 이상의 손실 $L$(nat). 모든 과정에서 같은 값이다.

    Raises:
        TypeError: 텐서나 수가 와야 할 자리에 다른 것이 오면.
        ValueError: 과정의 무리가 없거나, 모두 합해 표본이 하나뿐이거나, 두 시야나 과정끼리 모양이 다르거나,
            길이가 0이거나 유한하지 않은 임베딩이 있거나, 온도가 0보다 크지 않으면.

    References:
        Chen, T. 외 (2020). A Simple Framework for Contrastive Learning of Visual Representations, 2.2절.
        PyTorch 문서, `torch.distributed`, `torch.nn.parallel.DistributedDataParallel`.
    """
    checks.floating(first_view=first_view, second_view=second_view)
    checks.ndim(2, 2, first_view=first_view)
    checks.shape(first_view.shape, second_view=second_view)
    checks.device(first_view.device, second_view=second_view)
    checks.number(POSITIVE, temperature=temperature)
    if not dist.is_initialized():
        raise ValueError("group: 과정의 무리가 있어야 하는데 없다. torch.distributed.init_process_group을 먼저 부른다")
    _check_same_everywhere(first_view, group)
    local = torch.stack(widen(first_view, second_view))  # (2, n, d)
    everywhere = _gather(local, group)  # (W, 2, n, d)
    columns = _unit(2, **{"first_view, second_view": everywhere})[0].flatten(0, 2)  # (2Wn, d)
    rows = _unit(2, own=local)[0].flatten(0, 1)  # (2n, d)
    own = dist.get_rank(group) * len(rows) + torch.arange(len(rows), device=rows.device)
    logits = ((rows / temperature) @ columns.T).scatter(-1, own.unsqueeze(-1), -math.inf)  # (2n, 2Wn)
    pulled = logits.gather(-1, own.roll(len(local[0])).unsqueeze(-1)).squeeze(-1)  # 짝은 다른 시야의 같은 줄이다
    total = logits.logsumexp(-1)
    totals = _gather(total, group).flatten()  # (2Wn,)
    chosen = (logits - totals).exp().detach()  # P_ji
    # 남의 줄에서 오는 기울기까지 담은 것. 값은 뜻이 없으므로 손실의 값으로 바꾼다.
    carrier = (total - 2 * pulled + (chosen * logits.masked_fill(chosen == 0, 0.0)).sum(-1)).mean()
    value = (totals - _gather(pulled, group).flatten()).mean()
    return (value + (carrier - carrier.detach())).to(torch.promote_types(first_view.dtype, second_view.dtype))


def _gather(own: Tensor, group: dist.ProcessGroup | None) -> Tensor:
    """모든 과정의 것을 과정의 번호 차례로 쌓은 상수."""
    mine = own.detach().contiguous()
    gathered = [torch.empty_like(mine) for _ in range(dist.get_world_size(group))]
    dist.all_gather(gathered, mine, group=group)
    return torch.stack(gathered)


def _check_same_everywhere(own: Float[Tensor, "n d"], group: dist.ProcessGroup | None) -> None:
    # 모양이 다른 것을 모으면 멈추거나 뒤섞인다. 모양부터 모아, 다르면 모든 과정이 함께 멈춘다.
    shapes = _gather(torch.tensor(own.shape, device=own.device), group).tolist()
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError(f"first_view: 모든 과정에서 모양이 같아야 하는데 {', '.join(map(str, shapes))}이다")
    if 0 in shapes[0] or len(shapes) * shapes[0][0] < 2:
        raise ValueError(f"first_view: 모두 합해 표본이 둘 이상이어야 하는데 과정 {len(shapes)}개에 {shapes[0]}이다")
