"""Which music is trained on and which held out, level by level (2.1), and in which batches.

`levels` names the sets, `sources` the files of each, `shipped` chooses among music21's scores.
`assemble.read_corpus` reads (`reading`, of which `encoding` is what a worker does, be it of a
`cluster`, and `facts` what is kept beside the notes) and divides (`division`, by `difficulty` and
without `leaks`) into a `sets.Corpus`, which `saved` keeps in one file and `shards` in a folder
(with `shards_index`; `door` looks at what either of them loads);
`prepare` makes of it what a model trains on; `batches` draws from that, and `excerpts` of rolls.
`named` sorts `collections` into sets, which `download` brings into data/ by a `crew` of threads,
each of which fetches file by file (`transfer`); `frame_sets` reads the benchmark's piano rolls.
`report_rows` says of every file why it is used or not, `report` counts, `report_text` prints.
"""
