"""Faults that say nothing of a file, and may be over the next time: a disk, a share, no memory."""

import errno

NO_FILE = (  # what says that there is no file to use, and will say so again
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP),
    *(errno.ENXIO, errno.ENAMETOOLONG),
)


def passing(error: BaseException) -> bool:
    """Whether an error is of the machine at this moment, not of what was to be read."""
    if isinstance(error, OSError):
        return error.errno not in NO_FILE
    return isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error)  # torch's
