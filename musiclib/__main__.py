from musiclib.cli import main

main()
