"""결과를 정해 두고 만든 시드들과 점수들."""

import numpy as np

from mgk_docs_src.labs.choosing import METHODS
from mgk_docs_src.own.answering import LOWER, METRICS
from mgk_docs_src.own.measuring import BASE, BOOSTING, LOGISTIC, MAJORITY, Outcome
from mgk_docs_src.own.preparing import Prepared


def seeds(count, rows=(30, 10), classes=2):
    """특징이 없는 시드들: 테스트 데이터의 라벨만 쓴다."""
    labels = np.repeat(np.arange(classes), rows)
    side = np.zeros((len(labels), 1), dtype=np.float32), labels
    return [Prepared(side, side, side)] * count


def scored(gaps, count=10, spread=0.01, base=0.7, **yardsticks):
    """방법마다 교차 엔트로피보다 `gaps`만큼 나은 점수. 낮을수록 좋은 점수는 부호를 바꾼다."""
    random = np.random.default_rng(0)
    given = {BASE: 0.0, LOGISTIC: -0.3, BOOSTING: -0.3, MAJORITY: -0.4, **gaps, **yardsticks}
    return {
        name: {
            metric: (1 - base if metric in LOWER else base)
            + (-1 if metric in LOWER else 1) * (gap + spread * random.normal(size=count))
            for metric in METRICS
        }
        for name, gap in given.items()
    }


def outcomes(p, count, method=METHODS[0]):
    """시드마다 같은 확률로 예측한 결과."""
    p = np.asarray(p, dtype=np.float32)
    return [Outcome(method, seed, p, p, 0) for seed in range(count)]
