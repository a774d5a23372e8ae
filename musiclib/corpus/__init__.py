"""Which music is trained on and which held out, level by level (2.1), and in which batches.

`assemble.read_corpus` reads (`reading`) and divides (`division`, by `difficulty` and without
`leaks`) into a `sets.Corpus`, which `saved` keeps; `prepare` makes of it what a model trains on;
`batches` draws from that.
"""
