"""`python -m worldschool.cli` is the `worldschool` command."""

from worldschool.cli.main import main

if __name__ == "__main__":
    main()
