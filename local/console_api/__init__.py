"""What CloudWatch and X-Ray do with what the stack tells of itself: series, traces, alarms; the console's questions.

Figures themselves are in MiniStack's CloudWatch, where functions' own are put too (``local/emulation``).
"""
