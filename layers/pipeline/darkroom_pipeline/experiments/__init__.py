"""Experiments: count visitors and clicks in access logs, decide by anytime-valid statistics, and publish decisions."""
