# Fresh machine: `make demo`, `make test`. Needs python3 >= 3.11 with venv, and make. Nothing is installed outside this folder.
UV ?= $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
PYTHON ?= python3
PY := .venv/bin/python
PLUGINS := $(sort $(dir $(wildcard plugins/*/pyproject.toml)))
MEMBERS := -e . $(patsubst %,-e %,$(PLUGINS))
PROJECTS := pyproject.toml $(addsuffix pyproject.toml,$(PLUGINS))
SIZE ?= full
export UV_PYTHON_PREFERENCE ?= only-system

.PHONY: demo test check bench campaign soak docs lock clean

.venv/.ok: requirements/dev.txt $(PROJECTS)
	@test -x "$(UV)" || command -v "$(UV)" >/dev/null || ($(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet "uv>=0.9")
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(PY) --no-deps $(MEMBERS)
	@touch $@

demo: .venv/.ok ## the main job, told step by step on the embedded default
	@.venv/bin/omnichannel demo $(if $(KEEP),--keep)

test: .venv/.ok ## all tests, on asyncio and trio
	@$(PY) -m pytest -n 4 --dist worksteal

check: .venv/.ok ## style, types, floors
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/pyright
	@.venv/bin/lint-imports --no-cache

bench: .venv/.ok ## ratios against peers, one JSON line per figure
	@$(PY) -m benchmarks

campaign: .venv/.ok ## kills, pauses, refreshes, bypasses: one JSON line per figure
	@$(PY) -m campaigns --size $(SIZE)

soak: .venv/.ok ## the browser tests again and again, on a machine that is busy
	@$(PY) -m campaigns.busy --times $(or $(TIMES),20) -- $(PY) -m pytest -q -n 2 -p no:cacheprovider tests/web/browser

docs: .venv/.ok ## the documentation as a site in ./site; the reference is made from the code
	@$(PY) -m reference docs
	@.venv/bin/zensical build --strict --clean

lock: ## pin every dependency with hashes
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --group dev --all-extras \
	  --no-emit-package omnichannel-core $(patsubst plugins/%/,--no-emit-package omnichannel-%,$(PLUGINS)) $(PROJECTS) -o requirements/dev.txt
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements/peers.in -o requirements/peers.txt

clean:
	rm -rf .venv .venv-peers .uv
