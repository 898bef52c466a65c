"""Will every model in this repository load where it is going to run?"""

__version__ = "0.1.0"
