import sys

try:
    from musiclib.cli import main

    main()
except KeyboardInterrupt:
    sys.exit("musiclib: stopped before it began")
