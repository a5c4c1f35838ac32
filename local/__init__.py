"""The local stack: MiniStack, the deployed template, a CDN and a start page. For development only, never deployed."""
