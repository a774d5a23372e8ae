"""How models are trained: a curriculum of stages (2.3), a loop that resumes, runs on disk.

`train.train_runs` trains what `runs.RunConfig` describes and `runs.Run` finds again; `loop` is the
loop, `state` what it goes on from, `curriculum` its stages, `precision` what it computes in, and
`record` what it leaves. `data_parallel` is what several processes do that train one network, and
`processes` how they meet. `jobs` trains many runs in `pieces`, and `folder` reads from a run's
folder how it stands.
"""
