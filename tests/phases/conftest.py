from tests.runtimes.fixtures import index

__all__ = ["index"]
