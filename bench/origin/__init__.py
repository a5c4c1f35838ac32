"""The local CDN before the bench's S3: what a viewer waits for where a picture is stored, but not in any cache."""
