"""The console's API: series, traces, logs and alarms, as CloudWatch and X-Ray return them.

Metrics are stored in MiniStack's CloudWatch; ``local/emulation`` adds those that AWS services publish.
"""
