"""Alarms and dashboards as tables, and an evaluator of CloudWatch alarms. Not deployed.

``make alarms`` writes ``stacks/alarms.yaml`` from these tables; the local stack, the game day and the tests evaluate
the alarms of the template.
"""
