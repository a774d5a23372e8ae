"""The paper itself: its sizes, runs, figures and numbers, as the notebooks make them.

`profiles` and `variants` say what is trained, `study.Study` trains, composes and judges it;
`curves`, `beginnings`, `plateau` and `trials` are the notebooks' experiments, `figures` their
pictures; `results`, `published`, `readme` and `notebooks` write down and run.
"""
