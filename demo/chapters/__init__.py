"""The independent chapters of the demo: each module has a function ``run(settings) -> Chapter``."""
