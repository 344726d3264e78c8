"""`mgk-choose 파일 --target 열`: 내 데이터에 맞는 손실을 찾는다."""

# 도움말과 틀린 인자는 1초 안에 답한다. torch와 scikit-learn은 파일을 읽은 뒤에 들여온다.
import argparse
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mgk_docs_src.own.measuring import Outcome
    from mgk_docs_src.own.tables import Table

GOALS = ("accuracy", "balanced", "ranking", "calibration")
_READING = ("target", "drop", "keep", "group", "time", "rows", "separator", "sheet", "header")  # load에 넘기는 인자들


def main(argv: Sequence[str] | None = None) -> int:
    """명령을 실행한다.

    Args:
        argv: 명령줄의 인자들. `None`이면 `sys.argv[1:]`.

    Returns:
        종료 코드. 0은 정상, 2는 틀린 입력(stderr에 `오류: …` 한 줄), 130은 Ctrl-C.

    Raises:
        SystemExit: 명령줄의 형식이 틀렸으면 종료 코드 2, 도움말을 요청했으면 종료 코드 0.

    References:
        Python 문서, `argparse`.
    """
    options = _parser().parse_args(argv)
    try:
        return _run(options)
    except (ValueError, OSError) as error:
        print(f"오류: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    print(f"{options.file} 읽는 중 …", file=sys.stderr, flush=True)
    _check_folder(options)
    from mgk_docs_src.own.tables import load  # noqa: PLC0415

    table = load(options.file, **_given(options))
    from mgk_docs_src.own import reporting  # noqa: PLC0415

    print(reporting.found(_facts(table), table.notes), flush=True)
    return _compare(options, table)


def _given(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in _READING}


def _check_folder(options: argparse.Namespace) -> None:
    folder: Path | None = options.report
    if options.resume and folder is None:
        raise ValueError("--resume: 이어서 잴 폴더를 --report로 적는다")
    if folder is not None and (folder / "report.html").exists() and not (options.resume or options.force):
        raise ValueError(f"--report: {folder}에 보고서가 이미 있다. 이어서 재려면 --resume, 덮어쓰려면 --force")


def _facts(table: "Table") -> dict[str, str]:
    counts = _counts(table)
    each = [f"{name} {count:,}줄" for name, count in zip(table.classes, counts, strict=True)]
    return {
        "크기": f"{len(table.labels):,}줄, 특징 열 {table.frame.shape[1]:,}개"
        f"(수 {len(table.numbers):,}, 범주 {len(table.categories):,})",
        "클래스": ", ".join(each[:8]) + (f" … 모두 {len(each)}개" if len(each) > 8 else ""),
        "불균형": f"1:{max(counts) / min(counts):.2f}",
    }


def _counts(table: "Table") -> list[int]:
    return [int((table.labels == c).sum()) for c in range(len(table.classes))]


def _compare(options: argparse.Namespace, table: "Table") -> int:
    from mgk_docs_src.own import answering, measuring, preparing, reporting  # noqa: PLC0415

    methods = _methods(options.methods)
    _positive(options.positive, table)  # 없는 클래스이면 재기 전에 알린다
    prepared = preparing.prepare(table, preparing.divide(table, seeds=options.seeds))
    todo = measuring.cells(methods, prepared)
    cells = options.report / "cells" if options.report else None
    if cells and not options.resume:
        shutil.rmtree(cells, ignore_errors=True)
    outcomes: list[Outcome] = []
    code = 0
    try:
        with _backend(options), _Progress() as progress:
            knobs: dict[str, Any] = {
                "num_classes": len(table.classes),
                "goal": options.goal,
                "workers": options.workers,
            }
            for one in measuring.measure(todo, prepared, **knobs, folder=cells, progress=progress):
                outcomes.append(one)
    except KeyboardInterrupt:
        again = "--resume으로 이어 간다" if cells else "다음부터 --report 폴더를 적으면 끝난 칸을 두었다가 이어 간다"
        print(f"\n멈췄다. 끝난 방법만 답한다. {again}", file=sys.stderr)
        code = 130
    scores = answering.score(outcomes, prepared)
    if code and not {measuring.BASE, *measuring.YARDSTICKS} <= set(scores):
        return code
    rows = answering.row_scores(outcomes, prepared, goal=options.goal)
    answer = answering.answer(scores, prepared, goal=options.goal, counts=_counts(table), by_row=rows)
    print(f"\n{reporting.verdict(answer)}", flush=True)
    report = _report(options, table, answer, outcomes, prepared)
    print(f"\n{reporting.decided(report)}", flush=True)
    if options.report:
        reporting.write(options.report, report, scores)
        print(f"\n{options.report / 'report.html'}에 보고서를 썼다", file=sys.stderr)
    return code


def _report(options: argparse.Namespace, table: "Table", answer: Any, outcomes: "list[Outcome]", prepared: Any) -> Any:
    from mgk_docs_src.own import deciding, measuring, recipe, reporting  # noqa: PLC0415

    def of(method: str) -> "list[Outcome]":
        return sorted((one for one in outcomes if one.method == method), key=lambda one: one.seed)

    chosen, positive = of(answer.winner), _positive(options.positive, table)
    settings = [one.setting for one in chosen]
    given = _given(options)
    limit = deciding.threshold(chosen, prepared, positive=positive, cost=options.cost, recall=options.recall)
    rule = f"거짓 양성과 거짓 음성의 비용은 {options.cost[0]:g}:{options.cost[1]:g}"
    shown = dict.fromkeys((answer.winner, measuring.BASE, measuring.BOOSTING))
    code = recipe.recipe(
        answer.winner,
        path=str(options.file),
        options={
            name: value for name, value in given.items() if name in ("target", "rows") or value not in (None, [], True)
        },
        goal=options.goal,
        setting=max(set(settings), key=settings.count),
        model="model.joblib",
    )
    return reporting.Report(
        title=f"{options.file.name}: ‘{table.target}’에 맞는 손실",
        facts=_facts(table),
        notes=table.notes,
        answer=answer,
        classes=table.classes,
        positive=positive,
        by_class=deciding.by_class(chosen, prepared),
        threshold=limit,
        rule=rule if options.recall is None else f"재현율 {options.recall:g} 이상",
        curves={name: deciding.curves(of(name), prepared, positive=positive) for name in shown},
        recipe=code,
        settings={
            "file": str(options.file),
            "sha256": measuring.digest(options.file),
            **given,
            "goal": options.goal,
            "methods": options.methods,
            "seeds": options.seeds,
        },
    )


def _methods(names: str | None) -> tuple[str, ...]:
    from mgk_docs_src.labs.choosing import METHODS  # noqa: PLC0415
    from mgk_docs_src.own.reading import find  # noqa: PLC0415

    if names is None:
        return METHODS
    return tuple(find(METHODS, name, argument="--methods", what="방법이") for name in names.split(","))


def _positive(name: str | None, table: "Table") -> int:
    from mgk_docs_src.own.reading import find  # noqa: PLC0415

    if name is None:  # 드문 클래스를 찾는 일이 많다
        counts = _counts(table)
        return len(counts) - 1 - counts[::-1].index(min(counts))
    return table.classes.index(find(table.classes, name, argument="--positive", what="클래스가"))


@contextlib.contextmanager
def _backend(options: argparse.Namespace) -> Iterator[None]:
    if options.backend == "processes":
        yield
        return
    import joblib  # noqa: PLC0415

    try:
        from distributed import Client  # noqa: PLC0415
    except ImportError as error:
        raise ValueError("--backend: dask를 쓰려면 distributed를 설치한다: pip install 'mgk_docs_src[dask]'") from error
    with Client(options.scheduler) as client, joblib.parallel_config("dask", client=client):
        yield


class _Progress(contextlib.AbstractContextManager["_Progress"]):
    # 끝난 칸의 수와 남은 시간. 화면이 아니면 줄을 덮어쓰지 않고 네 번만 적는다.
    def __init__(self) -> None:
        self.started = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        left = (time.monotonic() - self.started) / done * (total - done)
        said = f"{done}/{total}칸, 남은 시간 {left // 60:.0f}분 {left % 60:02.0f}초"
        if sys.stderr.isatty():
            print(f"\r{said}  ", end="" if done < total else "\n", file=sys.stderr, flush=True)
        elif done * 4 // total > (done - 1) * 4 // total:
            print(said, file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        sys.stderr.flush()


# --- 인자 ---

_EXAMPLES = """예:
  mgk-choose 고객.csv --target 이탈
  mgk-choose 사기.csv.gz --target fraud --goal balanced --cost 1:20 --report 보고서
  mgk-choose 환자.xlsx --target 진단 --group 환자번호 --seeds 20
  mgk-choose 센서.parquet --target 고장 --time 시각 --goal ranking --recall 0.95

끝난 칸은 --report 폴더에 남는다. Ctrl-C로 멈춘 뒤 --resume을 더해 다시 부르면 남은 칸만 잰다.
종료 코드: 0 정상, 2 틀린 입력, 130 Ctrl-C."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mgk-choose",
        description="내 데이터에 맞는 손실을 찾는다. 파일을 읽어 고친 것을 모두 알리고, 손실들을 재어 답한다.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    data = parser.add_argument_group("데이터")
    data.add_argument("file", type=Path, metavar="파일", help="CSV, 엑셀(.xlsx), Parquet. .gz도 된다")
    data.add_argument("--target", required=True, metavar="열", help="정답(클래스)이 든 열")
    data.add_argument("--drop", action="append", default=[], metavar="열", help="뺄 열. 여러 번 적을 수 있다")
    data.add_argument("--keep", action="append", default=[], metavar="열", help="정답과 같아 보여도 둘 열")
    data.add_argument("--group", metavar="열", help="같은 사람이나 기기의 줄. 학습과 테스트에 나뉘어 들지 않는다")
    data.add_argument("--time", metavar="열", help="시각. 앞의 줄로 학습하고 뒤의 줄로 테스트한다")
    data.add_argument("--rows", type=_count, default=20_000, metavar="수", help="쓸 줄의 수(기본값 20000). 0이면 모두")
    data.add_argument("--separator", metavar="문자", help="칸의 구분 문자. 기본값은 파일을 보고 정한다")
    data.add_argument("--sheet", metavar="이름", help="엑셀 시트")
    data.add_argument("--no-header", dest="header", action="store_false", help="첫 줄부터 데이터다")
    ask = parser.add_argument_group("물음")
    ask.add_argument("--goal", choices=GOALS, default="accuracy", help="목표(기본값 accuracy)")
    ask.add_argument("--positive", metavar="클래스", help="임계값과 곡선의 양성. 기본값은 가장 드문 클래스")
    ask.add_argument("--cost", type=_cost, default=(1.0, 1.0), metavar="fp:fn", help="거짓 양성과 거짓 음성의 비용")
    ask.add_argument(
        "--recall", type=_share, metavar="비율", help="채울 재현율. 적으면 비용 대신 이것으로 임계값을 정한다"
    )
    run = parser.add_argument_group("비교")
    run.add_argument("--methods", metavar="이름,이름", help="비교할 손실들. 기준과 간단한 방법은 늘 든다")
    run.add_argument("--seeds", type=_seeds, default=10, metavar="수", help="데이터를 다시 나누는 횟수(기본값 10)")
    run.add_argument("--workers", type=_workers, default=os.cpu_count() or 1, metavar="수", help="나란히 돌릴 프로세스")
    run.add_argument("--backend", choices=("processes", "dask"), default="processes", help="칸을 재는 곳")
    run.add_argument("--scheduler", metavar="주소", help="Dask 스케줄러의 주소. tcp://…:8786")
    out = parser.add_argument_group("결과")
    out.add_argument("--report", type=Path, metavar="폴더", help="HTML 보고서, 점수(CSV·Parquet), 요약, 코드를 쓸 폴더")
    out.add_argument("--resume", action="store_true", help="--report 폴더에 남은 칸부터 이어 간다")
    out.add_argument("--force", action="store_true", help="있는 보고서를 덮어쓴다")
    out.add_argument("-h", "--help", action="help", help="이 도움말")
    return parser


def _number(text: str, low: int, what: str) -> int:
    if not text.isdecimal() or int(text) < low:
        raise argparse.ArgumentTypeError(f"{what} {low} 이상의 정수여야 하는데 {text!r}이다")
    return int(text)


def _count(text: str) -> int:
    return _number(text, 0, "줄의 수는")


def _seeds(text: str) -> int:
    return _number(text, 2, "시드의 수는")


def _workers(text: str) -> int:
    return _number(text, 1, "프로세스의 수는")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"0보다 크고 1 이하인 수여야 하는데 {text!r}이다")
    return value


def _cost(text: str) -> tuple[float, float]:
    try:
        false_positive, false_negative = map(float, text.split(":"))
    except ValueError:
        false_positive = false_negative = 0.0
    if not (0 < false_positive < float("inf") and 0 < false_negative < float("inf")):
        raise argparse.ArgumentTypeError(f"1:20처럼 양수 둘이어야 하는데 {text!r}이다")
    return false_positive, false_negative


if __name__ == "__main__":
    sys.exit(main())
