"""How many threads and processes compute a run, which may be others each time it goes on."""

EQUAL = {
    "threads": "it equals an uninterrupted run in law, not to the bit: the last digits may differ",
    "processes": "it equals an uninterrupted run in law, not to the bit: each process has a dropout"
    " of its own",
}


def change(name: str, stretches: list[int], now: int) -> str:
    """Add the number of now to those of a run's stretches; what to say where it is another one."""
    before = stretches[-1:]
    if before == [now]:
        return ""
    stretches.append(now)
    return f"begun with {name}: {before[0]}, goes on with {now}; {EQUAL[name]}" if before else ""
