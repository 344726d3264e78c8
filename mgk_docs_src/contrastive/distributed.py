"""여러 프로세스로 나눈 NT-Xent: `docs/contrastive/losses.md`. 배치가 장치 하나에 담기지 않을 때 쓴다."""

from typing import Any, NamedTuple, NoReturn

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from mgk_docs_src import checks
from mgk_docs_src.checks import POSITIVE
from mgk_docs_src.contrastive.losses import knobs, unit_vectors
from mgk_docs_src.modes import full_precision


@full_precision
def distributed_nt_xent(
    first_view: Float[Tensor, "n d"],
    second_view: Float[Tensor, "n d"],
    *,
    temperature: float | Float[Tensor, "..."],
    group: dist.ProcessGroup | None = None,
) -> Float[Tensor, ""]:
    r"""프로세스마다 자기 배치의 두 뷰를 맡고, 음성 표본은 모든 프로세스에서 모아 재는 NT-Xent.

    $$L = \frac{1}{2Wn} \sum_{i=1}^{2Wn} \left[ \log \sum_{j \ne i} e^{\ell_{ij}} - \ell_{i\,p(i)} \right], \qquad
    \ell_{ij} = \frac{\hat x_i^\top \hat x_j}{\tau}$$

    프로세스(process)는 $W$개이고, $p(i)$는 같은 표본의 다른 뷰의 번호다. 값은 어느 프로세스에서나 이어 붙인 배치의
    [`nt_xent`][mgk_docs_src.contrastive.losses.nt_xent]이고, 프로세스가 맡은 임베딩에는 그 기울기의 $W$배가 흐른다.
    `DistributedDataParallel`이 매개변수의 기울기를 프로세스끼리 평균하면서 $W$로 나누므로, 그 뒤에는 이어 붙인 배치의
    기울기다. $P_{ij}$는 $i$가 $j$를 양성 표본이라고 보는 확률이다.

    $$2n \cdot W \frac{\partial L}{\partial \hat x_i} =
    \frac{1}{\tau} \left[ \sum_{j \ne i} (P_{ij} + P_{ji})\, \hat x_j - 2 \hat x_{p(i)} \right], \qquad
    P_{ij} = \frac{e^{\ell_{ij}}}{\sum_{k \ne i} e^{\ell_{ik}}}$$

    그래서 다른 프로세스의 임베딩과 함께 행마다의 손실과 $\log \sum$만 더 모으면, 저마다 자기 기울기를 다 안다. 모은
    음성 표본을 상수로만 두면 $P_{ji}$의 항이 빠져 다른 기울기가 된다. 프로세스는 $(2n, 2Wn)$ 행렬만 만들고,
    역전파에서는 주고받는 값이 없다. `torch.autograd`로 한 번만 미분할 수 있다. 두 번 미분하면 `RuntimeError`를 낸다.

    온도를 학습할 때는 모든 프로세스가 같은 값을 쓰고, 임베딩처럼 기울기를 프로세스끼리 평균한다.

    모든 프로세스가 함께 불러야 한다. 먼저 저마다 받은 입력을 서로 알리므로, 한 프로세스의 입력이 틀리거나 프로세스끼리
    어긋나면 모두가 같은 오류로 멈춘다. 통신에는 CPU는 gloo, GPU는 NCCL을 쓴다.

    Args:
        first_view: 이 프로세스가 맡은 첫째 뷰의 임베딩.
        second_view: 이 프로세스가 맡은 둘째 뷰의 임베딩. 모든 프로세스에서 같은 모양과 자료형이다.
        temperature: 온도 $\tau > 0$. 모든 프로세스에서 같다. 수이거나 스칼라 텐서. 학습할 수 있다.
        group: 프로세스 그룹. 기본값은 모든 프로세스. 이 프로세스가 들어 있어야 한다.

    Returns:
        0 이상의 손실 $L$(nat). 모든 프로세스에서 같은 값이다.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 프로세스 그룹이 없거나, 이 프로세스가 그룹에 없거나, 모두 합해 표본이 하나뿐이거나, 두 뷰나
            프로세스끼리 모양이 다르거나, 프로세스끼리 자료형이나 온도가 다르거나, 길이가 0이거나 유한하지 않은
            임베딩이 있거나, 온도가 0보다 크지 않거나, `torch.func`의 변환 안이면.

    References:
        Chen, T. 외 (2020). A Simple Framework for Contrastive Learning of Visual Representations, 2.2절.
        PyTorch 문서, `torch.distributed`, `torch.nn.parallel.DistributedDataParallel`.
    """
    if not dist.is_initialized():
        raise ValueError("group: 프로세스 그룹이 있어야 하는데 없다. 먼저 torch.distributed.init_process_group을 쓴다")
    if dist.get_rank(group) < 0:
        raise ValueError(f"group: 이 프로세스가 든 그룹이어야 하는데 프로세스 {dist.get_rank()}은 들어 있지 않다")
    for name, value in (("first_view", first_view), ("second_view", second_view), ("temperature", temperature)):
        if isinstance(value, Tensor) and torch.func.debug_unwrap(value) is not value:
            raise ValueError(f"{name}: torch.func의 grad, vmap, jvp 안에서는 프로세스끼리 주고받을 수 없다")
    try:
        rows, tau = _checked(first_view, second_view, temperature)
        card: _Card | Exception = _Card(
            list(first_view.shape), f"{first_view.dtype}/{second_view.dtype}", checks.plain(tau).item()
        )
    except Exception as error:  # 무엇이 틀렸든 남은 프로세스에 알린다
        card = error
    _check_agreement(card, group)
    loss, _, _ = _JoinedLoss.apply(rows, tau, group)  # type: ignore[no-untyped-call]
    joined: Tensor = loss.to(torch.promote_types(first_view.dtype, second_view.dtype))
    return joined


class _Card(NamedTuple):
    """프로세스마다 같아야 하는 값."""

    shape: list[int]
    dtype: str
    temperature: float


def _checked(first_view: Tensor, second_view: Tensor, temperature: float | Tensor) -> tuple[Tensor, Tensor]:
    """이 프로세스의 단위 벡터 (2n, d)와 온도."""
    checks.floating(first_view=first_view, second_view=second_view)
    checks.ndim(2, 2, first_view=first_view)
    checks.shape(first_view.shape, second_view=second_view)
    if len(first_view) == 0:
        raise ValueError("first_view: 프로세스마다 표본이 하나, 모두 합해 둘 이상이어야 하는데 하나도 없다")
    rows = torch.cat(unit_vectors(first_view=first_view, second_view=second_view))
    (tau,) = knobs(rows, (), temperature=(temperature, POSITIVE))
    return rows, torch.as_tensor(tau, dtype=rows.dtype, device=rows.device)


def _check_agreement(card: _Card | Exception, group: dist.ProcessGroup | None) -> None:
    # 저마다 혼자 멈추면 남은 프로세스는 오지 않을 값을 기다린다. 먼저 서로 알리고, 틀렸으면 모두 같은 오류로 멈춘다.
    cards: list[Any] = [None] * dist.get_world_size(group)
    dist.all_gather_object(cards, card, group=group)
    for each in cards:
        if isinstance(each, Exception):
            raise each
    for name, what, told in (
        ("first_view", "모양이", [str(each.shape) for each in cards]),
        ("first_view, second_view", "자료형이", [each.dtype for each in cards]),
        ("temperature", "값이", [f"{each.temperature:.9g}" for each in cards]),
    ):
        if len(set(told)) > 1:
            raise ValueError(f"{name}: 모든 프로세스에서 {what} 같아야 하는데 {', '.join(told)}이다")
    if len(cards) * cards[0].shape[0] < 2:
        raise ValueError("first_view: 모두 합해 표본이 둘 이상이어야 하는데 하나다")


class _JoinedLoss(torch.autograd.Function):
    """모든 프로세스의 배치를 모은 손실. 순전파에서 다른 프로세스의 행에서 오는 기울기까지 함께 구해 둔다."""

    @staticmethod
    def forward(rows: Tensor, tau: Tensor, group: dist.ProcessGroup | None) -> tuple[Tensor, Tensor, Tensor]:
        n = len(rows) // 2
        columns = _gather(rows, group).flatten(0, 1)  # (2Wn, d)
        own = dist.get_rank(group) * len(rows) + torch.arange(len(rows), device=rows.device)
        partner = own.roll(n)  # 양성 표본은 다른 뷰의 같은 행이다
        logits = (rows / tau) @ columns.T  # (2n, 2Wn)
        pulled = logits.gather(1, partner[:, None])[:, 0]
        # 자기 자신과 양성 표본을 뺀 나머지만 더해야, 그 확률이 1에 가까울 때도 손실과 기울기가 반올림에 묻히지 않는다.
        logits.scatter_(1, torch.stack([own, partner], 1), -torch.finfo(logits.dtype).max / 4)
        gap = logits.logsumexp(1) - pulled
        each = softplus(gap, threshold=40.0)
        total = each + pulled
        losses, totals = _gather(torch.stack([each, total]), group).transpose(0, 1).flatten(1)  # (2Wn,)
        chosen = (logits - total[:, None]).exp()  # P_ij
        missed = torch.sigmoid(gap)  # 1 − P_ip
        weight = chosen + (logits - totals).exp()
        weight.scatter_(1, partner[:, None], -(missed + missed.roll(n))[:, None])
        slope = weight @ columns / (tau * len(rows))
        tau_slope = (missed * pulled - (chosen * logits).sum(1)).mean() / tau
        return losses.mean(), slope, tau_slope

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*inputs[:2], *output[1:])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        rows, tau, slope, tau_slope = ctx.saved_tensors
        slopes = (_Once.apply(grads[0] * each, rows, tau) for each in (slope, tau_slope))  # type: ignore[no-untyped-call]
        return *slopes, None


class _Once(torch.autograd.Function):
    """기울기를 그대로 넘기고, 그 기울기를 `causes`로 또 미분하면 멈춘다.

    torch의 `once_differentiable`은 입력으로 이어지는 경로에 놓이지 않아, `autograd.grad`가 지나치고 틀린 수를 준다.
    """

    @staticmethod
    def forward(gradient: Tensor, *causes: Tensor) -> Tensor:
        return gradient.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """남길 것이 없다."""

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> NoReturn:
        raise RuntimeError("distributed_nt_xent: 다른 프로세스의 값을 모르므로 한 번만 미분할 수 있는데 두 번 미분했다")


def _gather(own: Tensor, group: dist.ProcessGroup | None) -> Tensor:
    """모든 프로세스의 텐서를 프로세스의 번호 차례로 쌓은 상수."""
    mine = own.detach().contiguous()
    gathered = [torch.empty_like(mine) for _ in range(dist.get_world_size(group))]
    dist.all_gather(gathered, mine, group=group)
    return torch.stack(gathered)
