"""`--certify`: 돌려서 통과한 것을 실행 기록에 적는 pytest 플러그인.

인증이 없거나 낡은 것의 테스트만 돌린다(`--row 이름`은 그 하나를, 낡지 않았어도). 예제 블록은 출력까지 맞아야 하고, 공개
함수는 장치를 받는 테스트가 하나도 빠짐없이 통과해야 하며, 실습은 끝까지 돌아야 한다. 해시 키가 그대로인 행은 한 글자도
바뀌지 않는다. 도중에 멈추면 그때까지 통과한 것만 적힌다.
"""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from mgk_book.book import BookError
from mgk_book.proofs import evidence, ledger
from mgk_book.proofs.evidence import Entry, Sources
from mgk_book.proofs.ledger import DEVICES, Ledger, Row, Status
from mgk_book.running import execution
from tests.docs.blocks import ROOT
from tests.docs.contract_tests import device_tests
from tests.docs.entries import entries, labs

CERTIFIER = "certifier"


class LabItem(pytest.Item):
    """실습 하나. 처음 도는 것이 모두를 나란히 돌리고, 나머지는 결과만 본다."""

    lab: execution.Lab
    device: str

    def runtest(self) -> None:
        """돌리고, 끝까지 돌았는지 본다."""
        together = [item for item in self.session.items if isinstance(item, LabItem)]
        error = ""
        if self is together[0]:
            try:
                execution.execute([item.lab for item in together], ROOT, self.device)
            except BookError as failed:
                error = str(failed)
        if execution.read(self.lab.outputs) is None:
            pytest.fail(error or f"{self.name}: 끝까지 돌지 못했다", pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


class Certifier:
    """한 세션에서 무엇이 무엇을 증명하고, 무엇이 통과했나."""

    def __init__(self, device: torch.device, row: str | None, root: Path = ROOT) -> None:
        self.root, self.device, self.row = root, device, row
        self.sources = Sources(root)
        self.labs = {lab.name: lab for lab in labs(device.type, root)}
        self.entries = entries(self.sources, list(self.labs.values()))
        self.ledger = ledger.read(root, device.type)
        if row is not None and row not in self.entries:
            raise pytest.UsageError(f"--row: {row!r}은 책에 없다. 이름은 python -m tests.docs.entries가 보인다")
        current = {name for name, entry in self.entries.items() if self.status(entry) is Status.CERTIFIED}
        self.wanted = {row} if row else set(self.entries) - current
        self.proving: dict[str, set[str]] = {}  # 테스트마다, 그것이 증명하는 것들
        self.spoiled: set[str] = set()  # 통과하지 못했거나 다 돌지 않은 것
        self.seconds: dict[str, float] = {}
        self.written = ""

    def status(self, entry: Entry) -> Status:
        return ledger.status(entry, self.ledger, self.sources)

    def proves(self, item: pytest.Item) -> set[str]:
        """테스트가 통과하면 무엇이 증명되나."""
        if isinstance(item, LabItem):
            return {item.name}
        if fence := getattr(item, "test_definition", None):  # pytest-markdown-docs의 블록
            page = item.path.relative_to(self.root / "docs").as_posix()
            return {evidence.example(page, fence.source, self.sources).id}
        *folders, name = item.path.relative_to(self.root / "tests").parts
        module = ".".join(["mgk_docs_src", *folders, name.removeprefix("test_").removesuffix(".py")])
        names = _device_tests(item.path).get(getattr(item, "originalname", ""), set())
        return {f"{module}.{name}" for name in names} & set(self.entries)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        chosen = self.wanted & set(self.labs)
        if config.args_source is not config.ArgsSource.TESTPATHS:  # 페이지나 테스트만 고른 것이면 실습은 돌리지 않는다
            chosen = chosen & {self.row}
        for name in sorted(chosen):
            item = LabItem.from_parent(session, name=name)
            item.lab, item.device = self.labs[name], self.device.type
            items.append(item)
            if self.row:
                item.lab.outputs.unlink(missing_ok=True)  # 캐시를 믿지 않고 다시 돌린다
        self.proving = {item.nodeid: self.proves(item) & self.wanted for item in items}
        unneeded = [item for item in items if not self.proving[item.nodeid]]
        items[:] = [item for item in items if self.proving[item.nodeid]]
        config.hook.pytest_deselected(items=unneeded)

    def pytest_deselected(self, items: Iterable[pytest.Item]) -> None:
        """다른 까닭(-k, -m)으로 빠진 테스트가 있으면, 그것이 증명할 것은 다 돌지 않은 것이다."""
        for item in items:
            self.spoiled |= self.proves(item) & self.wanted

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name in self.proving[report.nodeid]:
            self.seconds[name] = self.seconds.get(name, 0.0) + report.duration
            if not report.passed:
                self.spoiled.add(name)

    def pytest_sessionfinish(self) -> None:
        rows, now = self.ledger.rows, Sources(self.root)
        edited = {name for name, entry in self.entries.items() if now.key(entry) != self.sources.key(entry)}
        proven = sorted(set(self.seconds) - self.spoiled - edited)  # 도는 동안 고친 것은 무엇이 돌았는지 알 수 없다
        facts = machine(self.device)
        machines = self.ledger.machines | {ledger.identity(facts): facts}
        new = {
            name: self.proof(name, facts) for name in proven if self.status(self.entries[name]) is not Status.CERTIFIED
        }
        kept = {name: row for name, row in rows.items() if name in self.entries}
        ledger.write(self.root, self.device.type, Ledger(machines, kept | new))
        for other in set(DEVICES) - {self.device.type}:  # 책에서 사라진 것의 행은 어느 장치에서나 지운다
            book = ledger.read(self.root, other)
            if dropped := set(book.rows) - set(self.entries):
                left = {name: row for name, row in book.rows.items() if name not in dropped}
                ledger.write(self.root, other, book._replace(rows=left))
        without = sorted(self.wanted - set(proven))
        self.written = (
            f"인증({self.device.type}): 실행해서 맞은 항목 {len(proven)}, 새로 적은 행 {len(new)}, "
            f"그대로인 행 {len(set(kept) - set(new))}, 지운 행 {len(rows) - len(kept)}, 얻지 못한 것 {len(without)}"
        ) + "".join(f"\n  {name}" for name in without)

    def proof(self, name: str, facts: dict[str, str]) -> Row:
        """지금 통과한 것의 행."""
        taken, seconds = datetime.now(UTC), self.seconds[name]
        if name in self.labs:  # 빌드가 먼저 돌려 둔 것이면 그때의 것이다
            outputs = self.labs[name].outputs
            run = execution.read(outputs)
            assert run is not None
            taken, seconds = datetime.fromtimestamp(outputs.stat().st_mtime, UTC), run.seconds
        stamp = taken.strftime("%Y-%m-%dT%H:%M:%SZ")
        return Row(self.sources.key(self.entries[name]), ledger.identity(facts), stamp, round(seconds, 3))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(self.written)


@cache
def _device_tests(path: Path) -> dict[str, set[str]]:
    return device_tests(path.read_text("utf8"))


def machine(device: torch.device) -> dict[str, str]:
    """어떤 기계와 어떤 판에서 돌았나."""
    facts = {"device": "CPU", "torch": torch.__version__.partition("+")[0]}
    if device.type == "cuda":  # pragma: no cover - GPU가 있는 기계에서
        properties = torch.cuda.get_device_properties(device)
        facts["device"] = properties.name
        facts["memory"] = f"{properties.total_memory / 2**30:.0f} GiB"
        facts["cuda"] = str(torch.version.cuda)
    return facts | {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """CPU의 이름. 리눅스가 아니면 파이썬이 아는 만큼."""
    lines = cpuinfo.read_text("utf8").split("\n") if cpuinfo.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("인증")
    group.addoption("--certify", action="store_true", help="인증이 없거나 낡은 항목을 실행해, 통과하면 기록에 적는다")
    group.addoption("--row", metavar="이름", help="--certify와 함께: 실행 기록의 한 행만 다시 실행한다")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--certify"):
        if config.getoption("--row"):
            raise pytest.UsageError("--row는 --certify와 함께 쓴다")
        return
    if config.getoption("--update-outputs") or config.getoption("numprocesses", None):
        raise pytest.UsageError("--certify: --update-outputs나 -n과 함께 쓸 수 없다")
    if any("::" in argument for argument in config.args):
        raise pytest.UsageError("--certify: 테스트의 일부만 고르면 증명이 아니다. 한 행만 실행하려면 --row를 쓴다")
    device = torch.device(config.getoption("--device", "cpu"))
    config.pluginmanager.register(Certifier(device, config.getoption("--row")), CERTIFIER)
