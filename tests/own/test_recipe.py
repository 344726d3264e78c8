"""mgk_docs_src/own/recipe.py: 쓴 코드가 돌고, 저장한 모델이 맞힌다."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import torch

from mgk_docs_src.labs.choosing import METHODS
from mgk_docs_src.own.measuring import YARDSTICKS
from mgk_docs_src.own.preparing import dense
from mgk_docs_src.own.recipe import recipe
from mgk_docs_src.own.tables import load


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 40, 20])
    frame = pd.DataFrame(
        {"키": random.normal(size=120) + 4 * labels, "도시": random.choice(["가", "나"], 120), "종": labels}
    )
    path = tmp_path_factory.mktemp("표") / "표.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("method", [*METHODS, *YARDSTICKS])
def test_the_code_of_every_method_runs_and_saves_a_model_that_works(tmp_path, device, data, method, monkeypatch):
    model = str(tmp_path / "모델.joblib")
    code = recipe(method, path=str(data), options={"target": "종", "rows": 0}, goal="balanced", setting=3, model=model)
    monkeypatch.setattr(sys, "argv", ["recipe.py"])
    torch.manual_seed(0)
    exec(compile(code, "recipe.py", "exec"), {"__name__": "recipe"} if "class Cosine" not in code else cosine())
    saved = joblib.load(model)
    table = load(data, target="종")
    x = dense(saved["encoder"], table.frame)
    assert saved["classes"] == table.classes == ["0", "1", "2"]
    if method in YARDSTICKS:
        predicted = saved["model"].predict(x)
    else:
        with torch.no_grad():
            predicted = saved["model"](torch.from_numpy(x)).argmax(1).numpy()
    right = (predicted == table.labels).mean()
    assert right == 0.5 if method == "다수 클래스" else right > 0.9


def cosine():
    """실행 파일의 클래스를 저장하려면 그 파일이 주 모듈이어야 한다."""
    return vars(sys.modules["__main__"])


def test_it_runs_as_a_file_of_its_own(tmp_path, device, data):
    (tmp_path / "recipe.py").write_text(
        recipe("로짓 보정", path=str(data), options={"target": "종"}, goal="balanced", setting=0, model="m.joblib"),
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "recipe.py"], cwd=tmp_path, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "120줄로 학습해 m.joblib에 저장했다" in done.stdout
    assert (tmp_path / "m.joblib").stat().st_size > 0
