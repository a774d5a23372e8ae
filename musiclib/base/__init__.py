"""What everything may use and what uses nothing: files, errors, processes, progress, seeds.

`files` writes whole files or none, `errors` has `InputError`, `parallel` runs jobs side by side,
`together` jobs that need one another, `isolated` and `apart` make calls in processes that may be
lost, `progress` tells of long work, `seeds` and `device` say from where and on what, `memory` how
much is free, `compiled` makes loops fast. `arrays` and `typed` look at what is read: the first at
what arrays claim, the second at plain values, by the types of a dataclass.
"""
