"""The paper itself: its sizes, runs, figures and numbers, as the notebooks make them.

`profiles` and `variants` say what is trained; `study.Study` trains and composes, `judging` judges,
`record` and `results` write down, beside what was `published`. `curves`, `beginnings`, `plateau`
and `restoration` are the notebooks' experiments, `figures` their pictures; `notebooks`, `depends`
and `readme` run them and make pages, `measured` the tables of benchmarks, on a `chosen` corpus, of
which `contents` says what is in it and `expected` how long it would train. `standing` says how the
runs of `experiments` stand. `benchmark` trains on the piano-roll sets, `benchmark_kept` keeps what
came of it, `likelihood_table` shows it; `likelihood_judge` judges composed music likewise, and
`forms` compares forms of training.
"""
