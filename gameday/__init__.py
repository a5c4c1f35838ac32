"""The rehearsal: things are broken on purpose, and alarms, remedies and runbooks have to do what they are there for."""
