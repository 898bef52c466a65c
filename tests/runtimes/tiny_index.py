"""A package index of a few hundred bytes a package, for the real resolver and installer.

Its `tensorflow` has just what is asked of TensorFlow when a runtime is described, so that the whole way from
requirements to lock is walked in a second. The real one is used by the tests that are marked `runtime`.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

TENSORFLOW = """
class version:
    VERSION = "{version}"
    GIT_VERSION = "v{version}-0-g0123456789a"

class sysconfig:
    @staticmethod
    def get_build_info():
        return {{"is_cuda_build": False, "cuda_compute_capabilities": ["sm_60", "compute_90"]}}

class GraphDef:
    def __init__(self, node=()):
        pass
    def SerializeToString(self):
        return b""
    @staticmethod
    def FromString(data):
        return GraphDef()

class compat:
    class v1:
        GraphDef = GraphDef
        @staticmethod
        def make_tensor_proto(array):
            pass

import numpy
import keras
"""
KERAS = """
__version__ = "{version}"
class Model:
    pass
"""
NUMPY = """
__version__ = "{version}"
def zeros(shape, dtype):
    return []
"""


class TinyIndex:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True)

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def add(
        self, name: str, version: str, *, files: Mapping[str, str] | None = None, requires: Sequence[str] = ()
    ) -> Path:
        """Publish a wheel. Without `files` it holds a module of its own name."""
        module = name.replace("-", "_")
        contents = dict(files or {f"{module}.py": f"__version__ = {version!r}\n"})
        metadata = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        info = f"{module}-{version}.dist-info"
        contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}"
        contents[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        record = "".join(f"{path},sha256={digest(text)},{len(text.encode())}\n" for path, text in contents.items())
        contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
        place = self.folder / canonicalize_name(name)
        place.mkdir(exist_ok=True)
        wheel = place / f"{module}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in contents.items():
                archive.writestr(path, text)
        links = "".join(f'<a href="{one.name}">{one.name}</a>\n' for one in sorted(place.glob("*.whl")))
        (place / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
        return wheel

    def add_tensorflow(self, version: str, *, name: str = "tensorflow", body: str = "") -> None:
        """One that can be described, with the Keras and NumPy that it needs. `body` runs when it is imported."""
        self.add("numpy", "1.0", files={"numpy/__init__.py": NUMPY.format(version="1.0")})
        self.add("keras", "3.0", files={"keras/__init__.py": KERAS.format(version="3.0")})
        text = TENSORFLOW.format(version=version) + body
        self.add(name, version, files={"tensorflow/__init__.py": text}, requires=["numpy", "keras"])


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
