# The commands of the project; each does its own set-up. `make help` lists them.
# PYTHON=python3.12 chooses another Python (3.11 to 3.13).

.PHONY: help demo test unit second check bench docs lock clean

help:    ## say what there is
	@sed -n 's/^\([a-z]*\): .*## /make \1\t/p' Makefile | expand -t 14

demo:    ## record a small agent that mends a bug, show its trace, and verify the fix
	@scripts/setup runtime
	@.venv/bin/traceproof demo

test:    ## run every test, those with real agents and containers too
	@scripts/setup dev
	@scripts/agents
	@scripts/engine bookworm .venv/bin/python -P -m pytest $(ARGS)

unit:    ## run the tests that need no real agent and no containers
	@scripts/setup dev
	@.venv/bin/python -P -m pytest -m 'not agents and not engine' $(ARGS)

second:  ## run the unit tests with another Python too, or in a container
	@scripts/setup dev
	@scripts/second $(ARGS)

check:   ## ruff, mypy --strict, the import graph, the docs
	@scripts/setup dev
	@scripts/check

bench:   ## run the benchmarks of benchmarks/
	@scripts/setup dev
	@scripts/bench

docs:    ## write docs/commands.md and the tables of docs/verdict.md anew from the code
	@scripts/setup dev
	@.venv/bin/python scripts/commands_doc.py
	@.venv/bin/python scripts/verdict_doc.py

lock:    ## choose newer dependencies and write the locks anew
	@scripts/lock

clean:   ## remove what the set-up, the tests and the builds have made
	rm -rf .venv .venv-second .agents .typepath build dist *.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
