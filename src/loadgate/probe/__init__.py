"""What runs inside the target runtime. Standard library only, Python 3.6 and later, nothing of loadgate."""
