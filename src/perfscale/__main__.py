"""`python -m perfscale` is the `perfscale` command."""

from perfscale.cli.main import main

if __name__ == "__main__":
    main()
