"""mgk_docs_src/own/measuring.py: 어디서 재도 같은 결과이고, 끝난 칸을 다시 재지 않는다."""

import hashlib
import os
import signal

import joblib
import numpy as np
import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError

from mgk_docs_src.labs.choosing import METHODS
from mgk_docs_src.own import measuring
from mgk_docs_src.own.measuring import BASE, BLOCK, YARDSTICKS, Cell, Outcome, cells, digest, measure, yardstick
from mgk_docs_src.own.preparing import divide, prepare
from tests.own.tabled import blobs

KNOBS = {"num_classes": 2, "goal": "balanced", "steps": 20}
SOME = (BASE, "온도 스케일링", "로짓 보정")


def made(counts=(60, 40), seeds=3, **knobs):
    table = blobs(counts, **knobs)
    return prepare(table, divide(table, seeds=seeds))


def results(outcomes):
    return {(one.method, one.seed): one for one in outcomes}


def same(ours, theirs):
    return ours.keys() == theirs.keys() and all(
        a.setting == b.setting and np.array_equal(a.test, b.test) and np.array_equal(a.validation, b.validation)
        for a, b in ((ours[key], theirs[key]) for key in ours)
    )


def test_cells_hold_every_method_and_seed_once(device):
    prepared = made(seeds=BLOCK + 2)
    todo = cells(METHODS, prepared)
    assert todo[0] == Cell((BASE, "온도 스케일링"), tuple(range(BLOCK)))
    pairs = [(method, seed) for cell in todo for method in cell.methods for seed in cell.seeds]
    assert sorted(pairs) == sorted((m, s) for m in (*METHODS, *YARDSTICKS) for s in range(BLOCK + 2))
    assert {cell.methods for cell in cells(("로짓 보정",), prepared)} == {
        (BASE,),
        ("로짓 보정",),
        *((y,) for y in YARDSTICKS),
    }
    # 학습 데이터에 같은 클래스가 둘이 없으면 대조 손실은 쓸 수 없다
    assert all("SupCon + 선형 헤드" not in cell.methods for cell in cells(METHODS, made((2, 2), seeds=1)))
    # 크기가 다른 시드는 쌓을 수 없다
    uneven = [prepared[0], prepared[1]._replace(test=(prepared[1].test[0][:5], prepared[1].test[1][:5]))]
    assert [cell.seeds for cell in cells((BASE,), uneven)][:2] == [(0,), (1,)]


def test_every_method_predicts_probabilities(device):
    prepared = made((40, 30, 20), columns=4)
    outcomes = list(measure(cells(METHODS, prepared), prepared, **KNOBS | {"num_classes": 3}))
    assert len(outcomes) == 3 * len((*METHODS, *YARDSTICKS))
    for one in outcomes:
        assert isinstance(one, Outcome)
        for p, (_, y) in ((one.validation, prepared[one.seed].validation), (one.test, prepared[one.seed].test)):
            assert p.shape == (len(y), 3)
            assert p.min() > 0
            np.testing.assert_allclose(p.sum(1), 1, rtol=1e-6)
        assert (one.setting >= 0) == (one.method in METHODS)


def test_methods_learn(device):
    prepared = made((200, 200), seeds=1, apart=4.0)
    outcomes = list(measure(cells(METHODS, prepared), prepared, **KNOBS | {"steps": 100}))
    right = {one.method: (one.test.argmax(1) == prepared[0].test[1]).mean() for one in outcomes}
    assert right.pop("다수 클래스") == 0.5
    assert min(right.values()) > 0.9


def test_yardsticks_are_those_of_scikit_learn(device):
    prepared = made((300, 30), apart=1.0)
    for goal in ("accuracy", "balanced"):
        for method in YARDSTICKS:
            model = yardstick(method, seed=1, goal=goal).fit(*prepared[1].learn)
            (one,) = measure([Cell((method,), (1,))], prepared, **KNOBS | {"goal": goal})
            np.testing.assert_allclose(one.test, model.predict_proba(prepared[1].test[0]), atol=1e-6)
    called = [
        (yardstick("로지스틱 회귀", seed=0, goal=goal).fit(*prepared[0].learn).predict(prepared[0].test[0])).sum()
        for goal in ("accuracy", "balanced")
    ]
    assert called[0] < called[1]  # 균형 정확도를 겨냥하면 드문 클래스를 더 부른다


def test_processes_measure_what_one_does(device):
    prepared = made()
    todo = cells(SOME, prepared)
    done = []
    one = results(measure(todo, prepared, **KNOBS))
    two = results(measure(todo, prepared, **KNOBS, workers=2, progress=lambda *at: done.append(at)))
    assert same(one, two)
    assert done == [(number, len(todo)) for number in range(1, len(todo) + 1)]


def test_what_is_finished_is_not_measured_again(device, tmp_path, monkeypatch):
    prepared = made()
    todo = cells(SOME, prepared)
    some = measure(todo, prepared, **KNOBS, folder=tmp_path / "cells")
    first = [next(some) for _ in range(2)]
    some.close()
    files = list((tmp_path / "cells").iterdir())
    assert len(files) == 1
    counted = []
    whole = results(
        measure(todo, prepared, **KNOBS, folder=tmp_path / "cells", progress=lambda *at: counted.append(at))
    )
    assert same(whole, results(measure(todo, prepared, **KNOBS)))
    assert counted[0] == (2, len(todo))
    assert first[0].method in SOME
    monkeypatch.setattr(measuring, "_cell", None)
    assert same(results(measure(todo, prepared, **KNOBS, folder=tmp_path / "cells")), whole)
    # 설정이 다르면 다른 칸이다
    assert len({measuring._path(tmp_path, todo[0], prepared, knobs) for knobs in ((2, "a", 1), (2, "b", 1))}) == 2


def test_a_killed_worker_is_tried_once_more(device, tmp_path, monkeypatch):
    prepared = made(seeds=2)
    todo = cells((BASE,), prepared)
    truth = results(measure(todo, prepared, **KNOBS))

    def killed(number, at, total):
        if at == number:
            for process in joblib.externals.loky.get_reusable_executor()._processes.values():
                os.kill(process.pid, signal.SIGKILL)

    found = results(measure(todo, prepared, **KNOBS, workers=2, progress=lambda *at: killed(1, *at)))
    assert same(found, truth)

    def dies(*_, **__):
        raise TerminatedWorkerError("죽었다")

    monkeypatch.setattr(measuring.joblib, "Parallel", lambda *_, **__: dies)
    with pytest.raises(OSError, match="두 번 죽었다"):
        list(measure(todo, prepared, **KNOBS))


def test_the_digest_is_that_of_the_file(device, tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_dask_cluster_measures_the_same_and_loses_no_cell(device):
    distributed = pytest.importorskip("distributed")
    prepared = made()
    todo = cells(SOME, prepared)
    truth = results(measure(todo, prepared, **KNOBS))
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config("dask", client=client),
    ):
        whole = results(measure(todo, prepared, **KNOBS, workers=-1))
        pid = next(iter(client.run(os.getpid).values()))

        def kill(done, _):
            if done == 1:
                os.kill(pid, signal.SIGKILL)

        hurt = results(measure(todo, prepared, **KNOBS, workers=-1, progress=kill))
    assert same(whole, truth)
    assert same(hurt, truth)
