"""고른 방법을 붙여 넣어 돌릴 수 있는 코드로 쓴다. 파일 전체로 학습하고 모델을 저장한다."""

from collections.abc import Mapping
from typing import Any

from mgk_docs_src.labs.choosing import GRID, HIDDEN, SCALE, TEMPERATURE
from mgk_docs_src.own.measuring import BATCH, STEPS, YARDSTICKS

# 방법마다 더 들여올 것, 학습 전에 할 일, 한 스텝의 손실. z는 로짓, y는 라벨이다.
_LOSSES = {
    "교차 엔트로피": ("from mgk_docs_src.losses.categorical import cross_entropy", "", "cross_entropy(z, y)"),
    "온도 스케일링": (
        "from mgk_docs_src.labs.losses import fit_temperature\n"
        "from mgk_docs_src.losses.categorical import cross_entropy\n"
        "from mgk_docs_src.own.preparing import divide",
        "held = divide(table, seeds=1)[0].validation  # 온도는 학습에 쓰지 않은 줄에서 정한다\n"
        "kept = np.setdiff1d(np.arange(len(labels)), held)\n"
        "held_features, held_labels = features[held], labels[held]\n"
        "features, labels = features[kept], labels[kept]",
        "cross_entropy(z, y)",
    ),
    "일대나머지 BCE": (
        "from mgk_docs_src.losses.binary import bce_with_logits",
        "",
        'bce_with_logits(z, F.one_hot(y, classes).float(), reduction="none").sum(1).mean()',
    ),
    "라벨 스무딩 0.1": ("", "", "F.cross_entropy(z, y, label_smoothing=0.1)"),
    "초점 손실 γ = 2": ("from mgk_docs_src.losses.choosing import focal_loss", "", "focal_loss(z, y, gamma=2.0)"),
    "균형 가중치": (
        "from mgk_docs_src.losses.choosing import class_weights",
        "weights = class_weights(labels, num_classes=classes)",
        '(weights[y] * F.cross_entropy(z, y, reduction="none")).mean()',
    ),
    "로짓 보정": (
        "from mgk_docs_src.losses.choosing import logit_adjustment",
        "shift = logit_adjustment(labels, num_classes=classes)",
        "F.cross_entropy(z + shift, y)  # 학습할 때만 더한다",
    ),
    "코사인 소프트맥스": ("", "", "F.cross_entropy(z, y)"),
    "일반화 교차 엔트로피": (
        "from mgk_docs_src.losses.choosing import generalised_cross_entropy",
        "",
        "generalised_cross_entropy(z, y)",
    ),
    "브라이어 손실": ("from mgk_docs_src.losses.choosing import brier_loss", "", "brier_loss(z, y)"),
    "SupCon + 선형 헤드": ("from mgk_docs_src.contrastive.losses import supcon", "", "F.cross_entropy(z, y)"),
}

_HEAD = '''"""{method}: mgk-choose가 쓴 코드. 파일 전체로 학습해 {model}에 저장한다."""

import joblib
import numpy as np
{imports}
from mgk_docs_src.own.preparing import dense, encoder
from mgk_docs_src.own.tables import load

table = load(
    {path!r},
{options}
)
made = encoder(table, np.arange(len(table.labels)))
features = dense(made, table.frame)
'''

_SIMPLE = """
model = yardstick({method!r}, seed=0, goal={goal!r}).fit(features, table.labels)
"""

_NETWORK = """
torch.manual_seed(0)
features, labels = torch.from_numpy(features), torch.from_numpy(table.labels)
classes = len(table.classes)
model = nn.Sequential(nn.Linear(features.shape[1], {hidden}), nn.ReLU(), {last})
{before}

def train(parameters, loss, steps, batch={batch}):
    optimiser = torch.optim.AdamW(parameters, lr={rate}, weight_decay={decay})
    for _ in range(steps):
        rows = torch.randperm(len(features))[:batch]
        optimiser.zero_grad()
        loss(features[rows], labels[rows]).backward()
        optimiser.step()


def loss(x, y):
    z = model(x)
    return {loss}


{train}"""

_COSINE = """

class Cosine(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, width + 1))  # 끝은 절편

    def forward(self, h):
        h = F.normalize(F.pad(h, (0, 1), value=1.0), dim=1)
        return {scale} * h @ F.normalize(self.weight, dim=1).T
"""

_SUPCON = """projection = nn.Linear({hidden}, {half})
body = model[:2]
train(
    [*body.parameters(), *projection.parameters()],
    lambda x, y: supcon(projection(body(x)), y, temperature={temperature}),
    {steps} // 2,
    batch=128,
)
train(model[2].parameters(), loss, {steps} // 2)
"""

_HEAT = """with torch.no_grad():
    temperature = float(fit_temperature(model(held_features), held_labels))
model.append(nn.Linear(classes, classes, bias=False))
model[-1].weight.data = torch.eye(classes) / temperature
"""

_TAIL = """
joblib.dump({{"model": model, "encoder": made, "classes": table.classes}}, {model!r})
print(f"{{len(table.labels):,}}줄로 학습해 {model}에 저장했다")
"""


def recipe(method: str, *, path: str, options: Mapping[str, Any], goal: str, setting: int, model: str) -> str:
    """고른 방법으로 학습해 저장하는 파이썬 코드.

    Args:
        method: 방법의 이름.
        path: 데이터 파일의 경로.
        options: `load`에 넘길 인자들.
        goal: 목표.
        setting: `GRID`에서 정한 설정의 번호.
        model: 모델을 저장할 파일의 이름.

    Returns:
        코드.

    References:
        joblib 문서, `joblib.dump`.
    """
    given = "\n".join(f"    {name}={value!r}," for name, value in options.items())
    simple = method in YARDSTICKS
    more, before, loss = ("", "", "") if simple else _LOSSES[method]
    imports = (
        "from mgk_docs_src.own.measuring import yardstick"
        if simple
        else "\n".join(["import torch", "from torch import nn", "from torch.nn import functional as F", more]).rstrip()
    )
    head = _HEAD.format(method=method, model=model, imports=imports, path=path, options=given)
    tail = _TAIL.format(model=model)
    if simple:
        return head + _SIMPLE.format(method=method, goal=goal) + tail
    rate, decay = GRID[setting]
    knobs = {"hidden": HIDDEN, "half": HIDDEN // 2, "steps": STEPS, "temperature": TEMPERATURE}
    last = f"Cosine({HIDDEN}, classes)" if method == "코사인 소프트맥스" else f"nn.Linear({HIDDEN}, classes)"
    train = _SUPCON.format(**knobs) if method == "SupCon + 선형 헤드" else f"train(model.parameters(), loss, {STEPS})\n"
    body = _NETWORK.format(
        hidden=HIDDEN,
        last=last,
        before=f"{before}\n" if before else "",
        batch=BATCH,
        rate=rate,
        decay=decay,
        loss=loss,
        train=train,
    )
    cosine = _COSINE.format(scale=SCALE) if method == "코사인 소프트맥스" else ""
    return head + cosine + body + (_HEAT if method == "온도 스케일링" else "") + tail
