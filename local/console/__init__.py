"""The start page: plain HTML, CSS and JavaScript, and what it asks for."""
