"""What is watched, as tables: alarms and dashboards, and what CloudWatch makes of them. Not deployed.

``stacks/alarms.yaml`` is written from these tables (``make alarms``); the local stack, the rehearsal and the
tests evaluate the alarms of the template itself.
"""
