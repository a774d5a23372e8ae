"""How music is judged (2.5 and 3): ISL as published, what repairs it, and what else can be asked.

`isl`; `bits_saved` with `bernoulli_mixture` and `bootstrap`; `pca`; `two_sample`,
`precision_recall`, `plagiarism` and `note_f1`; `frame_baselines` of the field's benchmark;
`evaluation` asks all at once; `controls` judge the judges.
"""
