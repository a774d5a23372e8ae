"""What everything may use and what uses nothing: files, errors, processes, progress, seeds.

`files` has paths and digests, `errors` has `InputError`, `parallel` runs jobs side by side,
`together` jobs that need one another, `isolated` and `apart` make calls in processes that may be
lost; `workers` says what such a process is, `cores` how many threads it has. `aside` and `writing`
put what is written in place, or leave what was there; `stopping` hears that a process is to end.
`progress` tells of long work, `seeds` and `device` say from where and on what, `memory` how much is
free, `compiled` makes loops fast. `arrays` and `typed` look at what is read: the first at what
arrays claim, the second at plain values, by the types of a dataclass. `passing` tells faults of the
machine from those of a file.
"""
