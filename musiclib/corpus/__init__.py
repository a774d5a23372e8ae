"""Which music is trained on and which held out, level by level (2.1), and in which batches.

`levels` names the sets, `shipped` chooses among music21's scores.
`assemble.read_corpus` reads (`reading`) and divides (`division`, by `difficulty` and without
`leaks`) into a `sets.Corpus`, which `saved` keeps; `prepare` makes of it what a model trains on;
`batches` draws from that.
`named` sorts `collections` into sets, which `download` brings into data/ by a `crew` of threads,
each of which fetches file by file (`transfer`).
`report_rows` says of every file why it is used or not, `report` counts, `report_text` prints.
"""
