"""Without a spec, what the repository already says of the runtime. One module for each kind of file."""

from loadgate.infer.inference import infer_spec
from loadgate.infer.undecided import refuse_undecided

__all__ = ["infer_spec", "refuse_undecided"]
