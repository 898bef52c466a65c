"""Start the probe: `<the runtime's python> .../probe/__main__.py REQUESTS REPLIES`, two inherited descriptors.

With `--listen SOCKET` instead, start probes for whoever connects there.

The folder is imported as the package `loadgate_probe` by its path, and leaves `sys.path` first, so that no module of
ours can stand in for one that the model imports.
"""

import importlib.util
import os
import sys


def main() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry != here]
    name = "loadgate_probe"
    spec = importlib.util.spec_from_file_location(
        name, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None  # noqa: S101 - the file lies beside this one
    assert spec.loader is not None  # noqa: S101 - and is a file of Python
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    if sys.argv[1] == "--listen":
        importlib.import_module(name + ".listen").listen(sys.argv[2])
    else:
        importlib.import_module(name + ".server").serve(int(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    main()
