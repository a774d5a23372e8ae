# The paper end to end. `make` lists the targets.

PYTHON  ?= python3
PROFILE ?= $(if $(shell command -v nvidia-smi),paper,quick)
CORPUS  ?=
SEEDS   ?= $(if $(filter smoke,$(PROFILE)),1,3)
PRECISION ?= fp32
UNASKED   := $(if $(filter paper,$(PROFILE)),$(if $(filter yes,$(TRAIN)),,yes))

BIN       := .venv/bin
RESULTS   := results/$(PROFILE)
SETTINGS  := .build/$(PROFILE)/settings
NOTEBOOK   = $(BIN)/python -m musiclib notebook
OPTIONS   := --profile "$$PROFILE" --corpus "$$CORPUS" --seeds "$$SEEDS" --precision "$$PRECISION"
MODULES   := $(shell find musiclib -name "*.py" -o -name "*.json")
NOTEBOOKS := $(sort $(wildcard notebooks/[0-9]*.ipynb))
DONE      := $(NOTEBOOKS:notebooks/%.ipynb=$(RESULTS)/%.json)

export PROFILE CORPUS SEEDS PRECISION

.DEFAULT_GOAL := help
.PHONY: help data paper everything published listen shipped figure1 figure3a figure3b figure2 figure4 figure5 table1 mending plateau likelihood judged modern section4 test test-avx2 fuzz faults \
  benchmark bench bench-data bench-isl bench-keys bench-peers bench-published bench-restoration lab site clean notebooks FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  options            PROFILE=smoke|quick|paper  CORPUS=folder of MIDI files or piano-midi  SEEDS=3  PRECISION=fp32|tf32|bf16  TRAIN=yes"

data: .venv/installed ## download the paper's music and the benchmark's: piano-midi.de, the Nottingham tunes, piano rolls
	@$(BIN)/python -m musiclib data

# At published size all of it can take weeks: unless asked for with TRAIN=yes it is only begun where it
# takes hours, and the figures are made of the runs that results/paper keeps.
paper: .venv/installed ## train, compose, mend and regenerate Figures 1 to 5 and Table 1
	@status=0; if [ "$(UNASKED)" = yes ]; then $(BIN)/python -m musiclib affordable --seeds "$$SEEDS" || status=$$?; fi; \
	case $$status in 0) $(MAKE) --no-print-directory everything;; 3) $(MAKE) --no-print-directory published;; *) exit $$status;; esac
	@$(BIN)/python -m musiclib readme

everything: $(DONE)
	@echo "figures/$(PROFILE) and results/$(PROFILE) are up to date; read site/$(PROFILE)/11-results.html"

listen: $(RESULTS)/00-listen.json ## pieces to hear in site/$(PROFILE)/00-listen.html: seconds
published: $(RESULTS)/16-published-size.json ## Figures 3 to 5 and Table 1 from the runs that results/paper keeps
likelihood: $(RESULTS)/17-likelihood.json ## the benchmark's table and curves, from what results/likelihood keeps: seconds

# These train what they need; at published size only where it is asked for.
ifeq ($(UNASKED),yes)
figure1 figure2 figure3a figure3b figure4 figure5 table1 mending plateau judged modern section4: published
else
figure3a figure3b: $(RESULTS)/04-figure-3.json ## the figure and what it needs
figure4 table1: $(RESULTS)/06-figure-4-and-table-1.json ## the figure or table and what it needs
figure5: $(RESULTS)/07-figure-5.json ## the figure and what it needs
figure1: $(RESULTS)/03-train-biaxial.json ## the figure, from the biaxial RNN that is trained
figure2: $(RESULTS)/09-windowed-rbm.json ## the figure, from the trained RBM
plateau: $(RESULTS)/12-why-a-plateau.json ## when the biaxial RNN leaves its plateau, and why
judged: $(RESULTS)/19-judged-music.json ## likelihood as a metric of composed music, beside ISL
modern: $(RESULTS)/18-modern-form.json ## the modern form of training beside ours and the published one
section4: $(RESULTS)/13-section-4.json ## other keys, time reversed, major pieces alone
mending: $(RESULTS)/10-mending.json ## what mends corrupted music, and what it does to composed music
endif

test test-avx2: export MPLBACKEND := agg

test: .venv/installed ## lint, test the package, compare the notebooks with their stored outputs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q -rs
	$(BIN)/python -m pytest -q --nbval-lax --nbval-cell-timeout=600 notebooks

test-avx2: .venv/installed ## the tests that depend on the processor, held down to AVX2
	ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 \
	  $(BIN)/python -m pytest -q -rs -m processor

fuzz: .venv/installed ## mutants of MIDI files, of CORPUS or the shipped ones: ten minutes
	$(BIN)/python tests/fuzz_reader.py 600 $(if $(CORPUS),"$$CORPUS")

faults: .venv/installed ## every write, fsync and rename of the commands that write fails once: half an hour
	FAULTS=0 $(BIN)/python -m pytest -q -s tests/test_faults.py

bench: .venv/installed ## training and composing at published sizes beside a plain nn.LSTM port
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python -m musiclib readme

bench-isl: .venv/installed ## our ISL against statsmodels, in one run
	$(BIN)/python benchmarks/isl.py

bench-data: .venv/installed ## reading 20,000 files, on Dask too, and training from 50 million steps: 10 minutes
	$(BIN)/python benchmarks/data.py "$$CORPUS"
	$(BIN)/python -m musiclib readme

bench-keys: .venv/installed ## how often keys are right, on folders of CORPUS with written keys
	$(BIN)/python benchmarks/keys.py $$CORPUS
	$(BIN)/python -m musiclib readme

bench-peers: .venv/installed ## files of CORPUS (folders) as MusPy, pretty_midi, pypianoroll and symusic read them
	$(BIN)/python benchmarks/peers.py $$CORPUS
	$(BIN)/python -m musiclib readme

bench-published: .venv/installed ## both forms at published size on CORPUS, beside the authors' logs: hours
	$(BIN)/python benchmarks/published_size.py "$$CORPUS" --precision "$$PRECISION"

bench-restoration: .venv/installed ## what the conditional RBM mends of CORPUS's held-out pieces: 15 minutes
	$(BIN)/python benchmarks/restoration.py "$$CORPUS"

# Jupyter refuses to run as root, which containers do, unless told; without the redirect file it opens
# an address with its token, which browsers that may not read hidden folders can open too.
lab: .venv/installed ## open JupyterLab on the form to compose with
	JUPYTER_CONFIG_PATH="$(CURDIR)/notebooks/.jupyter$${JUPYTER_CONFIG_PATH:+:$$JUPYTER_CONFIG_PATH}" \
	  $(BIN)/jupyter lab --ServerApp.use_redirect_file=False $(if $(filter 0,$(shell id -u)),--allow-root) \
	  notebooks/14-explore.ipynb

site: .venv/installed ## a site of pages, in site/, from what was run; opens from a file
	@$(BIN)/python -m musiclib site --profile "$$PROFILE"

notebooks: .venv/installed ## run the notebooks in place and keep the outputs of their checks alone
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace $(NOTEBOOKS)
	$(BIN)/nbstripout --keep-count --extra-keys "metadata.language_info cell.metadata.execution" $(NOTEBOOKS)
	$(BIN)/ruff format -q notebooks

benchmark: .venv/installed ## train both networks on the four piano-roll sets, measure and keep them: hours on 2 cores
	$(BIN)/python -m musiclib benchmark --seeds "$$SEEDS" --test
	$(BIN)/python -m musiclib readme

shipped: .venv/installed ## train the weights that come with the package anew: two hours
	$(BIN)/python -c "from musiclib.paper.shipping import ship; ship()"

clean: ## remove the environment and caches; results and trained runs stay
	rm -rf .venv .build .cache .pytest_cache .ruff_cache .hypothesis

# A notebook is run again when a module that it imports has changed.
.build/depends.mk: $(MODULES) $(NOTEBOOKS)
	@mkdir -p $(@D)
	@$(PYTHON) musiclib/paper/depends.py > $@

-include .build/depends.mk

# What is made depends on the settings: this file is written anew only when they change.
$(SETTINGS): .venv/installed FORCE
	@$(NOTEBOOK) check $(OPTIONS) --stamp $@

$(RESULTS)/%.json: notebooks/%.ipynb $(SETTINGS) .venv/installed
	@echo "notebook $*"
	@$(NOTEBOOK) $* $(OPTIONS) --stamp $(SETTINGS)

# These read what is kept, no corpus.
$(RESULTS)/16-published-size.json: notebooks/16-published-size.ipynb $(wildcard results/paper/*/*) .venv/installed
	@echo "notebook 16-published-size"
	@$(NOTEBOOK) 16-published-size $(OPTIONS)

$(RESULTS)/17-likelihood.json: notebooks/17-likelihood.ipynb $(wildcard results/likelihood/*) .venv/installed
	@echo "notebook 17-likelihood"
	@$(NOTEBOOK) 17-likelihood $(OPTIONS)

$(RESULTS)/02-train-lstm.json $(RESULTS)/03-train-biaxial.json: $(RESULTS)/01-corpus.json
$(RESULTS)/04-figure-3.json: $(RESULTS)/02-train-lstm.json $(RESULTS)/03-train-biaxial.json
$(RESULTS)/05-compose.json: $(RESULTS)/02-train-lstm.json $(RESULTS)/03-train-biaxial.json
$(RESULTS)/06-figure-4-and-table-1.json $(RESULTS)/07-figure-5.json: $(RESULTS)/05-compose.json
$(RESULTS)/08-why-silence-wins.json: $(RESULTS)/06-figure-4-and-table-1.json
$(RESULTS)/09-windowed-rbm.json: $(RESULTS)/05-compose.json
$(RESULTS)/10-mending.json: $(RESULTS)/09-windowed-rbm.json
$(RESULTS)/11-results.json: $(filter-out $(RESULTS)/11-results.json,$(DONE))
$(RESULTS)/12-why-a-plateau.json: $(RESULTS)/01-corpus.json
$(RESULTS)/13-section-4.json: $(RESULTS)/03-train-biaxial.json
$(RESULTS)/14-explore.json: $(RESULTS)/01-corpus.json
$(RESULTS)/15-own-music.json $(RESULTS)/18-modern-form.json: $(RESULTS)/03-train-biaxial.json
$(RESULTS)/19-judged-music.json: $(RESULTS)/06-figure-4-and-table-1.json

.venv/installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "musiclib needs Python 3.11 to 3.13; $(PYTHON) is not: try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq -r requirements.lock
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	$(BIN)/python -c "from musiclib.corpus.encoding import compile_reader; compile_reader()"
	$(BIN)/python -c "from musiclib.models.fast_steps import compile_steps; compile_steps()"
	@touch $@
