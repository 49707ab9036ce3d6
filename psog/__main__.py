"""`python -m psog` is the `psog` command."""

from psog.cli.main import main

if __name__ == "__main__":
    main()
