from .fixtures import here, index, processes, uv, uv_cache

__all__ = ["here", "index", "processes", "uv", "uv_cache"]
