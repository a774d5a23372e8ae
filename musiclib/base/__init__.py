"""What everything may use and what uses nothing: files, errors, processes, progress, seeds.

`files` writes whole files or none, `errors` has `InputError`, `parallel` runs jobs side by side,
`together` jobs that need one another, `isolated` and `apart` make calls in processes that may be
lost; `workers` says what such a process is, `cores` how many threads it has. `progress` tells of
long work, `seeds` and `device` say from where and on what, `memory` keeps it, `compiled` makes
loops fast.
"""
