"""Game day: inject failures into a running stack, and verify alarms, remedies and runbooks."""
