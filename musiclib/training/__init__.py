"""How models are trained: a curriculum of stages (2.3), a loop that resumes, runs on disk.

`train.train_runs` trains what `runs.RunConfig` describes and `runs.Run` finds again; `loop` is the
loop, `averaging` the mean of the weights, `plan` what it follows, `curriculum` its stages,
`precision` what it computes in, and `record` what it leaves. `state` is what is saved meanwhile,
`resuming` goes on from it; `whole` and `recorded` tell what is damaged in a run's folder,
`healing` mends and tidies that, and `locked` keeps others out of it. `data_parallel` is what
several processes do that train one network, and `processes` how they meet. `jobs` trains many runs
in `pieces`, and `folder` reads from a run's folder how it stands.
"""
