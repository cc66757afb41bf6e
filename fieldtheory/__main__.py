"""`python -m fieldtheory` is the command `fieldtheory`."""

from fieldtheory.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
