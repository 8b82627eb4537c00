"""The story of the packages on real data: ``python -m demo`` writes ``demo/report.html``."""
