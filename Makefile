# 하계 모각코. 처음 실행하는 목표가 .venv를 만든다. 손으로 할 일은 없다.
PYTHON ?= python3
BIN := .venv/bin
DEVICE ?= cpu
PORT ?= 8000
SITE ?= site
# 두 프로세스가 나누어 실행한다.
TOGETHER := -n 2 --dist worksteal
# Material이 지원 종료를 알리는 경고. 대책은 README에 적어 두었다.
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help install serve test check lint cover shapes build links site-test zensical look outputs numbers labs certify bench bench-site lighthouse bench-labs lock clean

help: ## 이 목록
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 이상이 필요하다: make PYTHON=python3.12 …"; exit 1; }
	@echo "▸ .venv를 만들고 설치한다 (처음 한 번, 몇 분)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[docs,test,dev]'
	@touch $@

install: .venv/.installed ## 설치만

serve: .venv/.installed ## 사이트를 만들어 http://127.0.0.1:8000 에 띄우고, 고치면 다시 만든다
	@# MkDocs는 플러그인과 확장을 한 번만 읽는다. 고치면 서버를 다시 띄우고, 열려 있던 페이지는 브라우저가 새로 읽는다.
	$(BIN)/watchmedo auto-restart --directory mgk_book --pattern '**/*.py' --recursive -- \
		$(BIN)/python -m mkdocs serve --dev-addr 127.0.0.1:$(PORT)

test: .venv/.installed ## 단위 테스트와 모든 페이지의 코드 블록 (make test DEVICE=cuda, GPU가 없어도 되는 DEVICE=simulated)
	@echo "▸ 단위 테스트, 모든 페이지의 코드 블록과 그 출력, 페이지와 코드의 약속, 인증 ($(DEVICE))"
	$(BIN)/python -m $(if $(filter simulated,$(DEVICE)),tests.simulated,pytest -m "not site" --device $(DEVICE)) $(TOGETHER) --durations 10

check: lint cover shapes build links site-test ## CI가 실행하는 모든 검사

lint: .venv/.installed ## 린트, 서식, 타입, import 방향
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

cover: .venv/.installed ## make test와, 테스트가 실행하지 않은 줄과 분기가 있는지
	$(BIN)/python -m pytest -m "not site" --device $(DEVICE) $(TOGETHER) --durations 10 --cov --cov-report=term

shapes: .venv/.installed ## 시그니처에 적은 텐서 모양을 실행 중에 지키는지
	$(BIN)/python -m pytest tests/losses tests/transport tests/diffusion tests/energy tests/contrastive tests/labs tests/test_data.py tests/test_metrics.py tests/test_networks.py tests/test_random.py -m "not bad_input and not site" $(TOGETHER) \
		-p tests.tower --jaxtyping-packages=mgk_docs_src,tests.tower.checked -q

build: .venv/.installed ## 엄격하게 사이트를 만든다 (site/)
	$(BIN)/python -m mkdocs build --strict

links: .venv/.installed ## 만든 사이트의 모든 페이지, 그림, #조각으로 가는 링크가 살아 있는지 (make links SITE=다른/사이트)
	$(BIN)/lychee --config tests/site/lychee.toml $(SITE)

site-test: .venv/.installed ## 만든 사이트를 실제 브라우저로 테스트한다 (chromium이 있어야 한다)
	@# 페이지의 차례로 실행하는 테스트를 반씩 나누므로, 한 페이지를 보는 테스트들은 한 프로세스에서 방문을 나누어 쓴다.
	@# 브라우저가 그리기를 멈추어 시간이 초과된 테스트만 다시 실행한다(tests/site/conftest.py).
	$(BIN)/python -m pytest tests/site -m site --ignore tests/site/test_zensical.py -n 2 --dist worksteal --durations 10 --timeout 200 --reruns 2 --only-rerun Timeout

zensical: .venv/.installed ## 같은 글을 Zensical로 만들어, 수식과 그림과 예제와 링크를 센다 (.cache/zensical/)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable '.[longevity]'
	$(BIN)/python -m mgk_book.prepare
	@# Zensical은 docs 폴더 하나만 읽는다. 만든 파일을 글과 한 폴더에 모은다.
	rm -rf .cache/zensical && mkdir -p .cache/zensical && cp -r docs .cache/zensical/ && cp -r .cache/made/site/. .cache/zensical/docs/
	$(BIN)/python -m zensical build --config-file zensical.yml
	$(BIN)/python -m pytest tests/site/test_zensical.py -m site -q -s

look: .venv/.installed ## 만든 사이트의 모든 페이지, 수식, 그림, 표를 큰 화면 몇십 장(.cache/look/)으로 모은다. 배포하기 전에 확인한다
	$(BIN)/python -m tests.site.look

outputs: .venv/.installed ## 페이지의 '출력'을 실제 출력으로 다시 쓴다
	$(BIN)/python -m pytest docs --update-outputs -q

numbers: .venv/.installed ## 글에 옮겨 적은 실습의 수를 실습의 결과로 다시 쓴다
	$(BIN)/python -m mgk_book.prepare --numbers

certify: .venv/.installed ## 인증이 없거나 낡은 항목을 실행해 certificates/에 적는다 (make certify DEVICE=cuda, make certify ROW='labs/gan')
	$(BIN)/python -m pytest -m "not site" --device $(DEVICE) --certify $(if $(ROW),--row '$(ROW)')

labs: .venv/.installed ## 실습 노트북을 사이트 없이 모두 실행한다 (make labs DEVICE=cuda)
	MGK_DEVICE=$(DEVICE) $(BIN)/python -m mgk_book.running.execution

bench: .venv/.installed ## torch, SciPy, POT, BlackJAX, pytorch-metric-learning과 비교한 속도와 메모리를 benchmarks/results/에 쓴다
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.losses
	$(BIN)/python -m benchmarks.transport
	$(BIN)/python -m benchmarks.sinkhorn_ablation
	$(BIN)/python -m benchmarks.samplers
	$(BIN)/python -m benchmarks.contrastive
	$(BIN)/python -m benchmarks.devices --device $(DEVICE)
	$(BIN)/python -m benchmarks.own

bench-site: .venv/.installed ## 사이트를 만드는 시간, 고친 글이 화면에 나오기까지의 시간, 인증이 더하는 시간을 측정한다
	$(BIN)/python -m benchmarks.site
	$(BIN)/python -m benchmarks.serve
	$(BIN)/python -m benchmarks.certificates

lighthouse: .venv/.installed ## 만든 사이트의 Lighthouse 점수. 98에 못 미치면 실패한다 (Node.js가 있어야 한다)
	$(BIN)/python -m benchmarks.lighthouse

bench-labs: .venv/.installed ## 노트북을 실행하는 시간을 다른 도구들과 비교한다 (한 시간 가까이)
	$(BIN)/python -m benchmarks.labs

lock: .venv/.installed ## 지금 설치된 버전을 constraints.txt에 적는다
	{ echo "# make lock이 쓴다. torch의 CUDA 패키지는 torch==2.13.0이 정한다."; \
	  $(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' | grep -viE '^(nvidia|triton|cuda)'; } > constraints.txt

clean: ## 만든 파일을 모두 지운다 (.venv는 둔다)
	rm -rf site .cache .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis .coverage
