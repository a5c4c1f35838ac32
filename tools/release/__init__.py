"""Build a release: archives, packaged templates, the installable command, checksums and the bill of materials.

``python -m tools.release VERSION --to FOLDER``. A release is a folder of files; ``darkroom install`` deploys it without
SAM and without a build (docs/getting-started/install.md).
"""
