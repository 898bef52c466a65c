from tests.runtimes.fixtures import index, uv_cache

__all__ = ["index", "uv_cache"]
