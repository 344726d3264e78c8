"""원문의 대조 학습과 그 처방: `docs/contrastive/training.md`."""

import copy
import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mgk_docs_src import checks
from mgk_docs_src.checks import NONNEGATIVE, POSITIVE, REAL, Interval
from mgk_docs_src.contrastive.losses import cosine_bce, cosine_similarity, unit_vectors
from mgk_docs_src.losses.reduction import widen
from mgk_docs_src.modes import full_precision, with_gradients
from mgk_docs_src.random import rand, randint, randn, randperm

# 원문이 출력한 값: 열 번의 손실, 테스트 쌍 여덟의 “코사인 유사도”(코드로는 시그모이드를 지난 값)와 라벨.
PRINTED_LOSSES = (0.8842, 0.9274, 0.9250, 0.9146, 0.8662, 0.5781, 0.5576, 0.5832, 0.4141, 0.4383)
PRINTED_PROBABILITIES = (0.7111, 0.7042, 0.7109, 0.7049, 0.7111, 0.7117, 0.7063, 0.7098)
PRINTED_LABELS = (0, 0, 0, 0, 1, 0, 0, 0)

_WARM_UP = 20  # Adam이 기울기의 크기를 추정하는 동안은 조금만 움직인다


# --- 인코더 ---


@with_gradients
def convolutional_encoder(
    channels: int,
    size: int,
    *,
    widths: Iterable[int] = (32, 64),
    depth: int = 1,
    kernel_size: int = 3,
    embedding_dim: int = 64,
    batch_norm: bool = False,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> nn.Sequential:
    r"""합성곱, ReLU, 최대 풀링을 반복하고 선형층으로 끝나는 인코더. 초기 가중치 그대로다.

    $$f = \mathrm{Linear} \circ \mathrm{Flatten} \circ
    \bigl( \mathrm{MaxPool}_2 \circ (\mathrm{ReLU} \circ \mathrm{Conv})^{k} \bigr)^{B}, \qquad
    W, b \sim \mathcal{U}\!\left( -\tfrac{1}{\sqrt{d_{\text{in}}}},\ \tfrac{1}{\sqrt{d_{\text{in}}}} \right)$$

    $B$는 `widths`의 길이, $k$는 `depth`다. 풀링마다 이미지의 한 변이 반이 된다. 출력은 아직 단위 벡터가 아니다.

    Args:
        channels: 이미지의 채널 수. 1 이상.
        size: 이미지의 한 변. $2^B$의 배수.
        widths: 블록마다의 채널 수. 하나 이상.
        depth: 블록마다의 합성곱 수 $k \ge 1$.
        kernel_size: 합성곱의 한 변. 홀수이며, 이미지의 크기가 그대로이도록 0을 두른다.
        embedding_dim: 출력의 차원. 1 이상.
        batch_norm: 합성곱과 ReLU 사이에 배치 정규화를 둘지. 두면 합성곱에는 편향이 없다.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        이미지 $(n, c, h, w)$를 받아 $(n, d)$를 주는 신경망. 평가 모드다.

    Raises:
        TypeError: 정수가 아닌 값을 받으면.
        ValueError: 1보다 작거나, 한 변이 $2^B$의 배수가 아니거나, 짝수 커널이거나, 다른 장치의 발생기이면.

    References:
        LeCun, Y. 외 (1998). Gradient-Based Learning Applied to Document Recognition, 2절.
        Ioffe, S. & Szegedy, C. (2015). Batch Normalization.
    """
    checks.instance(Iterable, widths=widths)
    widths = tuple(widths)
    checks.count(1, channels=channels, size=size, depth=depth, kernel_size=kernel_size, embedding_dim=embedding_dim)
    checks.count(1, widths=len(widths), **{f"widths[{i}]": width for i, width in enumerate(widths)})
    if size % 2 ** len(widths):
        raise ValueError(f"size: 풀링 {len(widths)}번에 반씩 줄도록 {2 ** len(widths)}의 배수여야 하는데 {size}이다")
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size: 이미지의 크기를 지키려면 홀수여야 하는데 {kernel_size}이다")
    place = {"device": torch.get_default_device() if device is None else device, "dtype": dtype}

    def drawn(layer: type[nn.Module], *shape: int, **knobs: int) -> nn.Module:
        # torch의 층은 전역 발생기로 가중치를 뽑는다. 그 초기화를 건너뛰고 받은 발생기로 뽑는다.
        made: nn.Module = nn.utils.skip_init(layer, *shape, **knobs, **place)  # type: ignore[no-untyped-call]
        fan_in = made.get_parameter("weight")[0].numel()
        with torch.no_grad():
            for weight in made.parameters():
                u = rand(*weight.shape, generator=generator, device=weight.device, dtype=weight.dtype)
                weight.copy_((2 * u - 1) / fan_in**0.5)
        return made

    layers: list[nn.Module] = []
    wide = channels
    for width in widths:
        for _ in range(depth):
            # 배치 정규화가 평균을 빼므로, 그 앞의 편향은 하는 일이 없다.
            layers.append(drawn(nn.Conv2d, wide, width, kernel_size, padding=kernel_size // 2, bias=not batch_norm))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width, device=place["device"], dtype=dtype))
            layers.append(nn.ReLU())
            wide = width
        layers.append(nn.MaxPool2d(2))
    side = size // 2 ** len(widths)
    layers += [nn.Flatten(), drawn(nn.Linear, wide * side * side, embedding_dim)]
    # 채널을 안쪽에 두면 CPU에서 이렇게 작은 합성곱이 더 빠르다.
    return nn.Sequential(*layers).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload, no-any-return]


@with_gradients
def simple_encoder(
    *,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> nn.Sequential:
    r"""원문의 SimpleContrastiveModel: 3×32×32 이미지를 128차원으로. 매개변수는 1,124,352개다.

    $$64\,(27 + 1) + 128\,(576 + 1) + 128\,(8192 + 1) = 1\,792 + 73\,856 + 1\,048\,704 = 1\,124\,352$$

    원문의 `forward`가 하던 정규화는 [`embed`][mgk_docs_src.contrastive.training.embed]가 한다.

    Args:
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        초기 가중치 그대로인 신경망.

    Raises:
        ValueError: 다른 장치의 발생기이면.

    References:
        PyTorch 문서, `torch.nn.Conv2d`, `torch.nn.Linear`.
    """
    return convolutional_encoder(
        3, 32, widths=(64, 128), embedding_dim=128, generator=generator, device=device, dtype=dtype
    )


@full_precision
def embed(encoder: nn.Module, images: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch d"]:
    r"""이미지를 단위 벡터로.

    $$u = \frac{f(x)}{\lVert f(x) \rVert_2}$$

    Args:
        encoder: 인코더 $f$.
        images: 이미지 $x$. 앞의 축은 몇이어도 된다.

    Returns:
        길이가 1인 임베딩 $u$. 인코더가 기울기를 받으면 미분할 수 있다.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 비었거나, 축이 셋보다 적거나, 유한하지 않은 값이 있거나, 인코더의 출력이
            이미지마다 벡터 하나가 아니거나 길이가 0이거나 유한하지 않으면.

    References:
        Wang, T. & Isola, P. (2020). Understanding Contrastive Representation Learning through Alignment and Uniformity
        on the Hypersphere, 1절.
    """
    checks.function(encoder=encoder)
    _check_images(images)
    outputs = _outputs(encoder, images)
    return unit_vectors(**{"encoder의 출력": outputs})[0].to(outputs.dtype)


@full_precision
def layer_similarities(encoder: nn.Sequential, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "layers"]:
    r"""층을 하나씩 지날 때마다 잰, 서로 다른 이미지 사이의 평균 코사인 유사도.

    $$s_\ell = \frac{1}{n(n-1)} \sum_{i \ne j} \cos\bigl( h_\ell(x_i),\, h_\ell(x_j) \bigr), \qquad
    \cos \approx \frac{(\mathbb{E}\, h)^2}{\mathbb{E}\, h^2}$$

    둘째 식은 좌표 $h$가 서로 독립이고 많을 때다. 평균이 0이면 0이지만 ReLU를 지나면 모두 0 이상이라, 정규 분포에서
    $\frac{1 / 2\pi}{1 / 2} = 0.318$이다. 최댓값을 남기는 풀링은 평균을 더 올린다.

    Args:
        encoder: 층을 차례로 잇는 인코더.
        images: 이미지. 둘 이상.

    Returns:
        입력의 $s_0$부터 마지막 층의 유사도까지. 길이는 층의 수 더하기 1.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형이 아니거나, 모양이 $(n, c, h, w)$가 아니거나, 이미지가 둘보다 적거나, 유한하지 않거나, 길이가
            0인 출력이 있으면.

    References:
        Cho, Y. & Saul, L. (2009). Kernel Methods for Deep Learning, 2절.
    """
    checks.instance(nn.Sequential, encoder=encoder)
    _check_images(images)
    checks.ndim(4, 4, images=images)
    checks.count(2, images=len(images))
    means = []
    with torch.no_grad():
        h = images
        for depth, layer in enumerate((nn.Identity(), *encoder)):
            h = layer(h)
            name = f"encoder의 {depth}번째 층의 출력" if depth else "images"
            total = unit_vectors(**{name: h.flatten(1)})[0].sum(0)
            # 모든 쌍의 합은 합의 제곱이다. 자기 자신과의 n을 뺀다.
            means.append((total.square().sum() - len(h)) / (len(h) * (len(h) - 1)))
    return torch.stack(means).to(images.dtype)


# --- 배치 ---


class Batch(NamedTuple):
    r"""학습할 이미지의 배치 하나.

    Attributes:
        images: 뷰 `v`개 × 이미지 `n`장. 같은 번호의 뷰끼리 쌍이다.
        labels: 이미지마다의 클래스 번호.

    References:
        Chen, T. 외 (2020). A Simple Framework for Contrastive Learning of Visual Representations, 2.1절.
    """

    images: Float[Tensor, "v n c h w"]
    labels: Int[Tensor, "v n"]


# 발생기를 받아 학습 스텝 하나에 쓸 배치를 주는 함수.
Sampler = Callable[[torch.Generator | None], Batch]
# 인코더의 출력 (v, n, d), 라벨 (v, n), 함께 학습하는 값을 받아 손실 하나를 주는 함수.
Objective = Callable[[Tensor, Tensor, Tensor], Tensor]
# 이미지 (n, c, h, w)와 `generator=`를 받아 조금 바꾼 이미지를 주는 함수. `jitter`가 그렇다.
Augment = Callable[..., Tensor]


def random_pairs(
    n: int,
    *,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Batch:
    r"""원문의 데이터: 정규 난수 이미지의 쌍과, 동전을 던져 붙인 라벨. 라벨이 이미지와 독립이라 학습할 규칙이 없다.

    $$x_1, x_2 \sim \mathcal{N}(0, I_{3 \times 32 \times 32}), \qquad y \sim \mathcal{U}\{0, 1\}, \qquad
    \Pr(y \mid x_1, x_2) = \tfrac12$$

    Args:
        n: 쌍의 수. 1 이상.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        뷰 둘의 배치. 둘째 뷰의 라벨이 첫째와 같으면 $y = 1$이다.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 1보다 작거나, 다른 장치의 발생기이면.

    References:
        Zhang, C. 외 (2017). Understanding Deep Learning Requires Rethinking Generalization, 2절 (무작위 라벨).
    """
    checks.count(1, n=n)
    images = randn(2, n, 3, 32, 32, generator=generator, device=device, dtype=dtype)
    same = randint(0, 2, (n,), generator=generator, device=device)
    return Batch(images, torch.stack([torch.zeros_like(same), 1 - same]))


@full_precision
def class_pairs(
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, "n"],
    *,
    size: int,
    generator: torch.Generator | None,
) -> Batch:
    r"""원문처럼 쌍으로 학습하는 배치. 반은 양성 쌍(같은 클래스), 반은 음성 쌍(다른 클래스)이다.

    $$i \sim \mathcal{U}, \qquad y \sim \mathcal{U}\{0, 1\}, \qquad
    j \sim \mathcal{U}\{ j \ne i : \mathbf{1}[y_j = y_i] = y \}$$

    Args:
        images: 이미지.
        labels: 클래스 번호. 클래스마다 둘 이상, 클래스는 둘 이상이어야 한다.
        size: 쌍의 수. 1 이상.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        뷰 둘의 배치.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 실수형 이미지와 `torch.int64` 라벨이 아니거나, 길이가 다르거나, 비었거나, 쌍을 만들 수 없거나,
            다른 장치의 발생기이면.

    References:
        Hadsell, R., Chopra, S. & LeCun, Y. (2006). Dimensionality Reduction by Learning an Invariant Mapping, 2.3절.
    """
    _check_labelled(images, labels)
    checks.count(1, size=size)
    n, device = len(labels), labels.device
    first = randint(0, n, (size,), generator=generator, device=device)
    wanted = randint(0, 2, (size, 1), generator=generator, device=device) == 1
    index = torch.arange(n, device=device)
    allowed = ((labels[first, None] == labels) == wanted) & (index != first[:, None])  # (size, n)
    if not allowed.any(1).all():
        raise ValueError("labels: 이미지마다 양성 쌍과 음성 쌍을 만들 수 있어야 하는데, 그럴 수 없는 이미지가 있다")
    # 균등 난수가 가장 큰 번호는 허락된 번호들 위에서 균등하다.
    draw = rand(size, n, generator=generator, device=device, dtype=torch.float32)
    second = torch.where(allowed, draw, -1.0).argmax(1)
    chosen = torch.stack([first, second])
    return Batch(images[chosen], labels[chosen])


@full_precision
def views(
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, "n"],
    *,
    size: int,
    count: int = 1,
    augment: Augment | None = None,
    generator: torch.Generator | None,
) -> Batch:
    r"""서로 다른 이미지 `size`장을 뽑아, 이미지마다 `count`번 따로 바꾼 뷰(view, 증강본)의 배치.

    $$x^{(v)}_i = t_{v,i}(x_{\pi(i)}), \qquad v = 1, \ldots, V, \quad i = 1, \ldots, m$$

    Args:
        images: 이미지.
        labels: 클래스 번호.
        size: 뽑을 이미지의 수 $m$. 1 이상, 받은 이미지의 수 이하.
        count: 뷰의 수 $V \ge 1$.
        augment: 이미지를 무작위로 바꾸는 함수 $t$. `None`이면 바꾸지 않는다.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        뷰 $V$개의 배치.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 실수형 이미지와 `torch.int64` 라벨이 아니거나, 길이가 다르거나, 비었거나, 수가 범위를 벗어나거나,
            바꾼 이미지의 모양이 다르거나, 다른 장치의 발생기이면.

    References:
        Chen, T. 외 (2020). A Simple Framework for Contrastive Learning of Visual Representations, 2.1절.
    """
    _check_labelled(images, labels)
    checks.count(1, size=size, count=count)
    if size > len(images):
        raise ValueError(f"size: 이미지 {len(images)}장 이하여야 하는데 {size}이다")
    chosen = randperm(len(images), generator=generator, device=images.device)[:size].repeat(count)
    picked = images[chosen]
    made = picked if augment is None else augment(picked, generator=generator)
    checks.tensor(augment=made)
    checks.shape(picked.shape, augment=made)
    return Batch(made.reshape(count, size, *images.shape[1:]), labels[chosen].reshape(count, size))


@full_precision
def jitter(
    images: Float[Tensor, "n c h w"],
    *,
    shift: float = 1.0,
    degrees: float = 10.0,
    scale: float = 0.1,
    shear: float = 0.0,
    generator: torch.Generator | None,
) -> Float[Tensor, "n c h w"]:
    r"""이미지를 조금 옮기고, 돌리고, 늘리고, 기울인다. 이미지마다 따로 뽑고, 비는 곳은 0이다.

    $$x'(p) = x\bigl( (1 + s) R_\theta K_k\, p + t \bigr), \qquad
    R_\theta = \begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix}, \quad
    K_k = \begin{pmatrix} 1 & k \\ 0 & 1 \end{pmatrix}$$

    $\theta, s, k, t$는 0을 가운데 둔 균등 분포에서 뽑는다. 화소 사이의 값은 이웃 넷을 섞어 만든다.

    Args:
        images: 이미지 $x$.
        shift: 옮기는 거리 $|t|$의 상한(화소). 0 이상.
        degrees: 돌리는 각 $|\theta|$의 상한(도). 0 이상.
        scale: 늘리는 비율 $|s|$의 상한. 0 이상.
        shear: 기울이는 정도 $|k|$의 상한. 0 이상.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        바꾼 이미지. `images`와 같은 모양.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이 $(n, c, h, w)$가 아니거나, 비었거나, 유한하지 않거나, 상한이 음수이거나, 다른
            장치의 발생기이면.

    References:
        Jaderberg, M. 외 (2015). Spatial Transformer Networks, 3.2–3.3절.
    """
    _check_images(images)
    checks.ndim(4, 4, images=images)
    checks.number(NONNEGATIVE, shift=shift, degrees=degrees, scale=scale, shear=shear)
    checks.number(Interval(0.0, 1e18), shift=shift, degrees=degrees, scale=scale, shear=shear)  # 곱해도 넘치지 않게
    n, _, height, width = images.shape
    (x,) = widen(images)  # grid_sample은 CPU의 반정밀도를 모른다
    u = 2 * rand(5, n, generator=generator, device=x.device, dtype=x.dtype) - 1
    theta, s, k = u[0] * math.radians(degrees), 1 + scale * u[1], shear * u[2]
    cos, sin = s * theta.cos(), s * theta.sin()
    # affine_grid의 좌표는 한 변을 [−1, 1]로 본다.
    right, down = 2 * shift / width * u[3], 2 * shift / height * u[4]
    rows = [torch.stack([cos, cos * k - sin, right], 1), torch.stack([sin, sin * k + cos, down], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False).to(images.dtype)


# --- 학습 ---


class Trained(NamedTuple):
    r"""학습한 인코더.

    Attributes:
        encoder: 학습한 인코더. 평가 모드이고 기울기를 받지 않는다.
        extra: 손실과 함께 학습한 값.
        losses: 학습 스텝마다, 가중치를 바꾸기 전의 손실.

    References:
        Kingma, D. P. & Ba, J. (2015). Adam: A Method for Stochastic Optimization.
    """

    encoder: nn.Module
    extra: Float[Tensor, "*extra"]
    losses: Float[Tensor, "steps"]


@with_gradients
def train_encoder(
    encoder: nn.Module,
    sampler: Sampler,
    objective: Objective,
    extra: Float[Tensor, "*extra"] | None = None,
    *,
    steps: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    decay: bool = True,
    generator: torch.Generator | None,
) -> Trained:
    r"""어느 손실로든 인코더를 학습한다.

    $$(\theta, \phi) \leftarrow \mathrm{AdamW}\bigl( \nabla\, L(f_\theta(x), y, \phi) \bigr), \qquad
    \eta_t = \eta \cos^2 \frac{\pi t}{2T}$$

    학습률은 처음 20스텝 동안 올렸다가 코사인을 따라 내린다. `decay`가 거짓이면 원문처럼 $\eta$ 그대로다. 가중치 감쇠가
    0이면 Adam과 같다. 받은 인코더와 값은 바꾸지 않는다. `sampler`와 `objective`가 하는 일 말고는, 스텝마다 장치를
    기다리지도 장치로 복사하지도 않는다.

    Args:
        encoder: 학습 전의 인코더 $f_\theta$.
        sampler: 학습 스텝마다의 배치를 주는 함수.
        objective: 손실 $L$. 인코더의 출력을 길이를 맞추지 않은 채 받는다.
        extra: 함께 학습할 값 $\phi$의 초깃값. 온도, 편향, 클래스의 방향 같은 값이다. 없으면 빈 텐서를 넘긴다.
        steps: 학습 스텝 수 $T$. 1 이상.
        learning_rate: 학습률 $\eta > 0$.
        weight_decay: 인코더의 가중치 감쇠. 0 이상. $\phi$에는 걸지 않는다.
        decay: 학습률을 올렸다 내릴지.
        generator: 배치를 뽑을 CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.

    Returns:
        학습한 인코더, 함께 학습한 값, 학습 스텝마다의 손실.

    Raises:
        TypeError: 텐서, 정수, 수가 아닌 값을 받으면.
        ValueError: 수가 범위를 벗어나거나, 인코더에 가중치가 없거나, 손실이 실수 하나가 아니거나 기울기가 끊겼거나,
            손실이나 가중치가 유한하지 않게 되면. 손실이 유한하지 않게 된 스텝의 번호를 알린다. CPU에서는 그 스텝에서
            바로 멈추고, GPU에서는 [`delayed`][mgk_docs_src.checks.delayed]처럼 모아서 보고 멈춘다.

    References:
        Loshchilov, I. & Hutter, F. (2019). Decoupled Weight Decay Regularization.
        Loshchilov, I. & Hutter, F. (2017). SGDR: Stochastic Gradient Descent with Warm Restarts, 식 5.
    """
    checks.instance(nn.Module, encoder=encoder)
    checks.function(sampler=sampler, objective=objective)
    checks.count(1, steps=steps)
    checks.number(POSITIVE, learning_rate=learning_rate)
    checks.number(NONNEGATIVE, weight_decay=weight_decay)
    net = copy.deepcopy(encoder).train().requires_grad_()
    weights = list(net.parameters())
    if not weights:
        raise ValueError("encoder: 학습할 가중치가 있어야 하는데 하나도 없다")
    if extra is not None:
        checks.floating(extra=extra)
    phi = (weights[0].new_zeros(0) if extra is None else extra.detach().clone()).requires_grad_()
    groups = [{"params": weights, "weight_decay": weight_decay}, {"params": [phi], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=learning_rate, fused=True)
    losses = []
    with checks.delayed():
        for step in range(steps):
            if decay:
                rate = learning_rate * math.cos(math.pi * step / (2 * steps)) ** 2 * min(1.0, (step + 1) / _WARM_UP)
                for group in optimiser.param_groups:
                    group["lr"] = rate
            batch = sampler(generator)
            if not isinstance(batch, tuple) or len(batch) != 2:
                raise TypeError(f"sampler: 이미지와 클래스 번호, 두 텐서를 내야 하는데 {type(batch).__name__}을 냈다")
            images, labels = batch
            checks.floating(**{"sampler의 이미지": images})
            try:
                loss = objective(_outputs(net, images), labels, phi)
            except ValueError as error:
                raise ValueError(f"objective의 {step}번째 스텝: {error}") from error
            checks.floating(objective=loss)
            checks.shape((), objective=loss)
            checks.within(**{f"objective의 {step}번째 스텝": (loss, REAL)})
            if not loss.requires_grad:
                raise ValueError("objective: 인코더의 출력으로 미분할 수 있어야 하는데 기울기가 끊겼다")
            losses.append(loss.detach())
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    checks.within(**{"encoder의 학습한 가중치": (torch.cat([weight.detach().flatten() for weight in weights]), REAL)})
    if phi.numel():
        checks.within(**{"extra의 학습한 값": (phi, REAL)})
    return Trained(net.eval().requires_grad_(False), phi.detach(), torch.stack(losses))


@full_precision
def pair_objective(outputs: Float[Tensor, "2 n d"], labels: Int[Tensor, "2 n"], extra: Tensor) -> Float[Tensor, ""]:
    r"""원문의 손실: 두 뷰의 코사인을 그대로 로짓으로 쓰는 이진 교차 엔트로피.

    $$L = \frac{1}{n} \sum_{i=1}^{n} \ell\bigl( \cos(x^{(1)}_i, x^{(2)}_i),\; \mathbf{1}[y^{(1)}_i = y^{(2)}_i] \bigr)$$

    Args:
        outputs: 뷰 둘의 인코더 출력 $x$.
        labels: 뷰 둘의 클래스 번호 $y$.
        extra: 쓰지 않는다. [`train_encoder`][mgk_docs_src.contrastive.training.train_encoder]가 넘긴다.

    Returns:
        평균 손실(nat).

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 모양이 $(2, n, d)$가 아니거나, 비었거나, 실수형이 아니거나, 장치가 다르거나, 길이가 0이거나 유한하지
            않은 출력이 있으면.

    References:
        Bromley, J. 외 (1993). Signature Verification Using a “Siamese” Time Delay Neural Network.
    """
    del extra
    checks.tensor(outputs=outputs, labels=labels)
    checks.ndim(3, 3, outputs=outputs)
    checks.shape((2, *outputs.shape[1:]), outputs=outputs)
    checks.shape(outputs.shape[:2], labels=labels)
    checks.device(outputs.device, labels=labels)
    first, second = unit_vectors(outputs=outputs)[0]
    cosine = (first * second).sum(-1).to(outputs.dtype)
    return cosine_bce(cosine, labels[0] == labels[1])


class PostRun(NamedTuple):
    r"""원문의 실험 한 번.

    Attributes:
        losses: 에포크마다의 손실.
        before: 학습 전, 테스트 쌍의 코사인 유사도.
        after: 학습 뒤, 테스트 쌍의 코사인 유사도.
        same: 테스트 쌍의 라벨. 참이면 양성 쌍으로 정한 쌍이다.
        accuracy: 테스트 쌍의 정확도. $\sigma(\cos) > 0.5$이면 양성 쌍으로 판정한다.
        fitted: 학습에 쓴 쌍의 정확도.

    References:
        Zhang, C. 외 (2017). Understanding Deep Learning Requires Rethinking Generalization, 2절.
    """

    losses: Float[Tensor, "epochs"]
    before: Float[Tensor, "test"]
    after: Float[Tensor, "test"]
    same: Bool[Tensor, "test"]
    accuracy: Float[Tensor, ""]
    fitted: Float[Tensor, ""]


@with_gradients
def post_run(
    *,
    epochs: int = 10,
    pairs: int = 16,
    test_pairs: int = 8,
    generator: torch.Generator | None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> PostRun:
    r"""원문의 실험: 난수 쌍 16개의 배치 하나로 10에포크를 학습하고, 새 난수 쌍 8개로 테스트한다.

    $$\hat y = \mathbf{1}\bigl[ \sigma(\cos(u_1, u_2)) > 0.5 \bigr] = \mathbf{1}[\cos(u_1, u_2) > 0]$$

    신경망, Adam의 학습률 0.001, 배치, 데이터의 모양이 모두 원문과 같다. 시드는 원문에 없다.

    Args:
        epochs: 같은 배치를 반복하는 수. 1 이상.
        pairs: 학습에 쓸 쌍의 수. 1 이상.
        test_pairs: 테스트 쌍의 수. 1 이상.
        generator: CPU나 같은 장치의 발생기. `None`이면 torch의 전역 발생기.
        device: 놓을 장치. 기본값은 torch의 기본 장치.
        dtype: 실수 자료형. 기본값은 torch의 기본 자료형.

    Returns:
        손실, 테스트 쌍의 코사인, 정확도.

    Raises:
        TypeError: 정수가 아니면.
        ValueError: 1보다 작거나, 다른 장치의 발생기이면.

    References:
        Zhang, C. 외 (2017). Understanding Deep Learning Requires Rethinking Generalization, 2절.
    """
    checks.count(1, epochs=epochs, pairs=pairs, test_pairs=test_pairs)
    encoder = simple_encoder(generator=generator, device=device, dtype=dtype)
    learn = random_pairs(pairs, generator=generator, device=device, dtype=dtype)
    test = random_pairs(test_pairs, generator=generator, device=device, dtype=dtype)
    trained = train_encoder(
        encoder,
        lambda _: learn,
        pair_objective,
        steps=epochs,
        learning_rate=1e-3,
        decay=False,
        generator=generator,
    )

    def judged(f: nn.Module, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        with torch.no_grad():
            cosine = cosine_similarity(*embed(f, batch.images))
        same = batch.labels[0] == batch.labels[1]
        return cosine, same, ((torch.sigmoid(cosine) > 0.5) == same).to(cosine.dtype).mean()

    after, same, accuracy = judged(trained.encoder, test)
    return PostRun(trained.losses, judged(encoder, test)[0], after, same, accuracy, judged(trained.encoder, learn)[2])


# --- 평가 ---


class PairScores(NamedTuple):
    r"""이미지의 모든 쌍.

    Attributes:
        similarity: 쌍마다의 코사인 유사도.
        same: 같은 클래스인지.

    References:
        Musgrave, K., Belongie, S. & Lim, S.-N. (2020). A Metric Learning Reality Check, 2절.
    """

    similarity: Float[Tensor, "pairs"]
    same: Bool[Tensor, "pairs"]


@full_precision
def pair_scores(embeddings: Float[Tensor, "n d"], labels: Int[Tensor, "n"]) -> PairScores:
    r"""모든 쌍의 코사인 유사도와, 같은 클래스인지.

    $$s_{ij} = \cos(x_i, x_j), \qquad i < j$$

    Args:
        embeddings: 임베딩 $x$. 길이가 1이 아니어도 된다.
        labels: 클래스 번호.

    Returns:
        쌍 $n(n-1)/2$개.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형 임베딩과 `torch.int64` 라벨이 아니거나, 길이가 다르거나, 둘보다 적거나, 길이가 0이거나
            유한하지 않은 임베딩이 있으면.

    References:
        Musgrave, K., Belongie, S. & Lim, S.-N. (2020). A Metric Learning Reality Check, 2절.
    """
    _check_embedded(embeddings, labels)
    checks.count(2, embeddings=len(embeddings))
    i, j = torch.triu_indices(len(labels), len(labels), 1, device=labels.device)
    (z,) = unit_vectors(embeddings=embeddings)
    return PairScores((z @ z.mT)[i, j].to(embeddings.dtype), labels[i] == labels[j])


@full_precision
def pair_accuracy(
    similarity: Float[Tensor, "pairs"], same: Bool[Tensor, "pairs"], *, threshold: float
) -> Float[Tensor, ""]:
    r"""임계값으로 가른 균형 정확도: 양성 쌍과 음성 쌍을 반반으로 본다.

    $$\tfrac12 \Pr(s > \tau \mid y = 1) + \tfrac12 \Pr(s \le \tau \mid y = 0)$$

    클래스가 열이면 양성 쌍은 열에 하나다. 맞힌 쌍의 비율을 그대로 세면 모두 음성 쌍이라고만 해도 0.9가 나온다.
    균형 정확도에서는 0.5다.

    Args:
        similarity: 유사도 $s$.
        same: 같은 클래스인지 $y$. 양성 쌍과 음성 쌍이 하나씩은 있어야 한다.
        threshold: 임계값 $\tau$.

    Returns:
        $[0, 1]$의 정확도.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이 다르거나, 유한하지 않거나, 한쪽이 비었으면.

    References:
        Brodersen, K. 외 (2010). The Balanced Accuracy and Its Posterior Distribution.
    """
    _check_pairs(similarity, same)
    checks.number(REAL, threshold=threshold)
    said = similarity.double() > threshold  # 임계값을 유사도의 자료형으로 반올림하면 가까운 쌍이 반대쪽에 놓인다
    wide = torch.promote_types(similarity.dtype, torch.float32)
    rates = [(told & of).sum().to(wide) / of.sum().to(wide) for told, of in ((said, same), (~said, ~same))]
    return ((rates[0] + rates[1]) / 2).to(similarity.dtype)


@full_precision
def calibrated_threshold(similarity: Float[Tensor, "pairs"], same: Bool[Tensor, "pairs"]) -> float:
    r"""균형 정확도가 가장 높은 임계값. 학습에 쓰지 않은 쌍을 보고 정한다.

    $$\tau^\star = \arg\max_\tau \; \Pr(s > \tau \mid y = 1) + \Pr(s \le \tau \mid y = 0)$$

    학습에 쓴 쌍을 보고 정하면, 다 외운 모델의 임계값이 1 가까이로 올라가 새 쌍에서 틀린다.

    Args:
        similarity: 유사도 $s$.
        same: 같은 클래스인지 $y$.

    Returns:
        임계값. 가장 좋은 두 이웃 유사도의 한가운데다. 모두 같다고 하는 것이 가장 좋으면 가장 작은 유사도보다 1 작다.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 모양이 다르거나, 유한하지 않거나, 한쪽이 비었으면.

    References:
        Youden, W. J. (1950). Index for Rating Diagnostic Tests.
    """
    _check_pairs(similarity, same)
    values, order = similarity.detach().double().sort()
    positive = same[order].long()
    found, missed = (1 - positive).cumsum(0), positive.cumsum(0)
    # 여기까지를 “다르다”고 할 때의 이득에 두 수를 곱한 값. 정수라 값이 같은 곳이 반올림으로 갈리지 않는다.
    gain = found * missed[-1] - missed * found[-1]
    # 값이 같은 쌍은 갈라놓을 수 없다. 끝까지 “다르다”고 하는 것은 모두 같다고 하는 것과 같다.
    best = int(torch.where(values[1:] > values[:-1], gain[:-1], 0).argmax()) if len(values) > 1 else 0
    low, high = values[best].item(), values[min(best + 1, len(values) - 1)].item()
    if gain[best] <= 0 or low == high:
        return min(values[0].item() - 1, math.nextafter(values[0].item(), -math.inf))
    middle = low / 2 + high / 2
    return middle if middle < high else low


@full_precision
def knn_accuracy(
    reference: Float[Tensor, "n d"],
    reference_labels: Int[Tensor, "n"],
    embeddings: Float[Tensor, "m d"],
    labels: Int[Tensor, "m"],
    *,
    k: int = 5,
) -> Float[Tensor, ""]:
    r"""가장 가까운 이웃 `k`개의 다수결로 맞힌 정확도.

    득표가 같으면 유사도의 합이 큰 쪽, 그 합도 같으면 번호가 작은 쪽으로 정한다.

    $$\hat y(x) = \arg\max_c \sum_{i \in \mathcal{N}_k(x)} \mathbf{1}[y_i = c]$$

    Args:
        reference: 라벨을 아는 임베딩.
        reference_labels: 그 클래스 번호. 0 이상.
        embeddings: 맞힐 임베딩 $x$.
        labels: 그 클래스 번호. 0 이상.
        k: 이웃의 수. 1 이상, 라벨을 아는 임베딩의 수 이하.

    Returns:
        $[0, 1]$의 정확도.

    Raises:
        TypeError: 텐서나 정수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 다르거나, 비었거나, 길이가 0이거나 유한하지 않은 임베딩이 있거나, `k`가 범위를
            벗어나면.

    References:
        Cover, T. & Hart, P. (1967). Nearest Neighbor Pattern Classification.
        Wu, Z. 외 (2018). Unsupervised Feature Learning via Non-Parametric Instance Discrimination, 3.4절.
    """
    _check_held_out(reference, reference_labels, embeddings, labels)
    checks.count(1, k=k)
    if k > len(reference):
        raise ValueError(f"k: 라벨을 아는 임베딩 {len(reference)}개 이하여야 하는데 {k}이다")
    known, asked = unit_vectors(reference=reference, embeddings=embeddings)
    near, index = (asked @ known.mT).topk(k, dim=1)  # (m, k)
    classes, which = torch.unique(reference_labels, return_inverse=True)
    votes = near.new_zeros(len(labels), len(classes), dtype=torch.float64)
    # 표 하나가 1이고 유사도에서 온 값은 모두 더해도 1이 못 되어, 표가 같을 때만 순서를 가른다.
    votes = votes.scatter_add(1, which[index], 1 + (near.double() + 1) / (4 * k + 1))
    return _share(classes[votes.argmax(1)] == labels, embeddings.dtype)


@with_gradients
def linear_probe(
    reference: Float[Tensor, "n d"],
    reference_labels: Int[Tensor, "n"],
    embeddings: Float[Tensor, "m d"],
    labels: Int[Tensor, "m"],
    *,
    weight_decay: float = 1e-4,
) -> Float[Tensor, ""]:
    r"""고정한 임베딩 위에서 학습한 로지스틱 회귀의 정확도(linear probe). 볼록이라 답이 하나다.

    $$\min_{W, b} \; -\frac{1}{n} \sum_{i=1}^{n} \log \mathrm{softmax}(W x_i + b)_{y_i}
    + \frac{\lambda}{2} \lVert W \rVert_F^2$$

    Args:
        reference: 학습에 쓸 임베딩 $x$.
        reference_labels: 그 클래스 번호 $y$. 0 이상.
        embeddings: 맞힐 임베딩.
        labels: 그 클래스 번호. 0 이상.
        weight_decay: $\lambda > 0$.

    Returns:
        $[0, 1]$의 정확도.

    Raises:
        TypeError: 텐서나 수가 아닌 값을 받으면.
        ValueError: 모양이나 장치가 다르거나, 비었거나, 길이가 0이거나 유한하지 않은 임베딩이 있거나, $\lambda$가 0보다
            크지 않으면.

    References:
        Alain, G. & Bengio, Y. (2017). Understanding Intermediate Layers Using Linear Classifier Probes.
    """
    _check_held_out(reference, reference_labels, embeddings, labels)
    checks.number(POSITIVE, weight_decay=weight_decay)
    known, asked = unit_vectors(reference=reference.detach().double(), embeddings=embeddings.detach().double())
    # 학습한 적 없는 클래스는 맞힐 수 없다. 열을 두면 그 절편이 한없이 작아져 답이 없다.
    classes, target = torch.unique(reference_labels, return_inverse=True)
    weight = known.new_zeros(known.shape[1], len(classes)).requires_grad_()
    bias = known.new_zeros(len(classes)).requires_grad_()
    # 맞히는 답은 기울기가 1e-5쯤이면 더 바뀌지 않는다.
    solver = torch.optim.LBFGS([weight, bias], max_iter=1000, tolerance_grad=1e-5, line_search_fn="strong_wolfe")

    def objective() -> Tensor:
        solver.zero_grad()
        loss = F.cross_entropy(known @ weight + bias, target) + weight_decay / 2 * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    solver.step(objective)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return _share(classes[(asked @ weight + bias).argmax(1)] == labels, embeddings.dtype)


@full_precision
def recall_at_one(embeddings: Float[Tensor, "n d"], labels: Int[Tensor, "n"]) -> Float[Tensor, ""]:
    r"""자기를 뺀 가장 가까운 이웃이 같은 클래스인 비율. 학습할 때 없던 클래스에도 쓸 수 있다.

    가장 가까운 이웃이 여럿이면 그 가운데 같은 클래스의 비율로 센다. 모두 한 점이면 우연히 맞힐 확률이 된다.

    $$\mathrm{R@1} = \frac{1}{n} \sum_{i=1}^{n} \mathbf{1}\bigl[ y_{j(i)} = y_i \bigr], \qquad
    j(i) = \arg\max_{j \ne i} \cos(x_i, x_j)$$

    Args:
        embeddings: 임베딩 $x$.
        labels: 클래스 번호 $y$.

    Returns:
        $[0, 1]$의 비율.

    Raises:
        TypeError: 텐서가 아니면.
        ValueError: 실수형 임베딩과 `torch.int64` 라벨이 아니거나, 길이가 다르거나, 둘보다 적거나, 길이가 0이거나
            유한하지 않은 임베딩이 있으면.

    References:
        Jégou, H., Douze, M. & Schmid, C. (2011). Product Quantization for Nearest Neighbor Search, 5.2절.
    """
    _check_embedded(embeddings, labels)
    checks.count(2, embeddings=len(embeddings))
    own = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    (z,) = unit_vectors(embeddings=embeddings)
    similarity = (z @ z.mT).masked_fill(own, -math.inf)
    nearest = similarity == similarity.amax(1, keepdim=True)
    same = labels.unsqueeze(1) == labels
    wide = similarity.dtype
    return ((nearest & same).sum(1).to(wide) / nearest.sum(1).to(wide)).mean().to(embeddings.dtype)


def _share(hits: Bool[Tensor, "m"], dtype: torch.dtype) -> Float[Tensor, ""]:
    # 반정밀도로 더하면 65504개에서 넘친다.
    return hits.to(torch.promote_types(dtype, torch.float32)).mean().to(dtype)


def _outputs(encoder: nn.Module, images: Tensor) -> Tensor:
    """앞의 축을 모아 한 번에 지난 출력."""
    stacked = images.reshape(-1, *images.shape[-3:]).contiguous(memory_format=torch.channels_last)
    outputs: Tensor = checks.called("encoder", encoder, stacked)  # (N, d)
    checks.tensor(**{"encoder의 출력": outputs})
    if outputs.ndim != 2 or len(outputs) != len(stacked):
        wanted = f"({len(stacked)}, d)"
        raise ValueError(f"encoder: 이미지마다 벡터 하나, {wanted}의 출력을 내야 하는데 {tuple(outputs.shape)}이다")
    return outputs.reshape(*images.shape[:-3], outputs.shape[-1])


def _check_images(images: Tensor) -> None:
    checks.floating(images=images)
    checks.ndim(3, math.inf, images=images)
    checks.nonempty(images=images)
    checks.within(images=(images, REAL))


def _check_labelled(images: Tensor, labels: Tensor) -> None:
    # 학습 스텝마다 부르므로 값은 보지 않는다.
    checks.floating(images=images)
    checks.ndim(4, 4, images=images)
    checks.nonempty(images=images)
    checks.int64(labels=labels)
    checks.shape(images.shape[:1], labels=labels)
    checks.device(images.device, labels=labels)


def _check_embedded(embeddings: Tensor, labels: Tensor, *, names: tuple[str, str] = ("embeddings", "labels")) -> None:
    vectors, classes = names
    checks.floating(**{vectors: embeddings})
    checks.ndim(2, 2, **{vectors: embeddings})
    checks.nonempty(**{vectors: embeddings})
    checks.int64(**{classes: labels})
    checks.shape(embeddings.shape[:1], **{classes: labels})
    checks.device(embeddings.device, **{classes: labels})
    checks.within(**{vectors: (embeddings, REAL), classes: (labels, NONNEGATIVE)})


def _check_held_out(reference: Tensor, reference_labels: Tensor, embeddings: Tensor, labels: Tensor) -> None:
    _check_embedded(reference, reference_labels, names=("reference", "reference_labels"))
    _check_embedded(embeddings, labels)
    checks.shape((len(embeddings), reference.shape[1]), embeddings=embeddings)
    checks.device(reference.device, embeddings=embeddings)


def _check_pairs(similarity: Tensor, same: Tensor) -> None:
    checks.floating(similarity=similarity)
    checks.ndim(1, 1, similarity=similarity)
    checks.nonempty(similarity=similarity)
    checks.tensor(same=same)
    if same.dtype != torch.bool:
        raise ValueError(f"same: torch.bool이어야 하는데 {same.dtype}이다")
    checks.shape(similarity.shape, same=same)
    checks.device(similarity.device, same=same)
    checks.within(similarity=(similarity, REAL))
    if checks.plain(same.all(-1) | ~same.any(-1)).any():
        raise ValueError("same: 양성 쌍과 음성 쌍이 하나씩은 있어야 하는데 한쪽뿐이다")
