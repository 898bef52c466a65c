"""What the user wants: `loadgate.yml`, read into a `Spec`, or every mistake in it with its line and column."""

from loadgate.spec.reading import read_spec

__all__ = ["read_spec"]
