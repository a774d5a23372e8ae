"""Training whose process is killed on the way, as by `kill -9`, with no chance to tidy up."""

import os
import signal
from pathlib import Path

from musiclib.corpus.assemble import read_corpus
from musiclib.paper.experiments import jobs
from musiclib.paper.profiles import SMOKE
from musiclib.paper.variants import run_config
from musiclib.training import train as training
from musiclib.training.pieces import train_piece


def config_of(name):
    """The configuration of a run of the table, in profile smoke."""
    job = next(job for job in jobs(3) if job.name == name)
    return run_config(SMOKE, job.model, job.kind, job.seed, "fp32")


def train_until_killed(name, music, runs, iteration):
    """Train a run until its process is killed at an iteration."""
    be_killed_at(iteration)
    training.train_run(config_of(name), read_corpus(music), Path(runs))


def killed_once(run, music, seconds):
    """A piece of training; the first one of an RBM is killed, before its fifth state is saved."""
    marker = run.directory.parent / f"{run.directory.name}-was-killed"
    if run.directory.name.startswith("rbm") and not marker.exists():
        marker.touch()
        be_killed_at(5)
    return train_piece(run, music, seconds)


def be_killed_at(iteration):
    """From now on training saves its state after each iteration, and dies at this one."""
    train = training.train

    def train_and_die(*arguments, progress, **options):
        def report(done):
            progress(done)
            if done == iteration:
                os.kill(os.getpid(), signal.SIGKILL)

        return train(*arguments, progress=report, **options | {"save_seconds": -1})

    training.train = train_and_die


class Left(BaseException):
    """Training that ends so, as by a signal."""


def train_until_left(config, corpus, root, iteration):
    """Train a run that ends once its state of this iteration is saved."""
    train = training.train

    def train_and_leave(*arguments, progress, **options):
        def report(done):
            progress(done)
            if done == iteration + 1:
                raise Left

        return train(*arguments, progress=report, **options | {"save_seconds": -1})

    training.train = train_and_leave
    try:
        training.train_run(config, corpus, root)
    except Left:
        pass
    finally:
        training.train = train
