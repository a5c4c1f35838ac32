"""What the stack watches about itself on a schedule, one module a watch; and what it does about it."""
