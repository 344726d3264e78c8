"""참을 아는 표들."""

import numpy as np
import pandas as pd

from mgk_docs_src.own.tables import Table


def tabled(features, labels, *, categories=(), groups=None, times=None, classes=None):
    """배열에서 만든 표. `categories`는 글자로 둘 열의 번호다."""
    frame = pd.DataFrame(features, columns=[f"x{i}" for i in range(np.shape(features)[1])])
    names = [f"x{i}" for i in categories]
    for name in names:
        frame[name] = frame[name].map("범주 {:.0f}".format).astype("str")
    numbers = [name for name in frame if name not in names]
    labels = np.asarray(labels)
    classes = classes or [f"c{c}" for c in range(labels.max() + 1)]
    return Table(frame, numbers, names, labels, classes, "y", groups, times, [])


def blobs(counts, *, seed=0, apart=2.0, columns=3):
    """클래스마다 퍼진 정도가 같은 정규 분포. 첫 열의 평균만 다르다."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    features = random.normal(size=(len(labels), columns))
    features[:, 0] += apart * labels
    return tabled(features, labels)
