from .fixtures import here, index, processes, uv

__all__ = ["here", "index", "processes", "uv"]
