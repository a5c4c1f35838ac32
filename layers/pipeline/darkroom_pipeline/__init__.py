"""What every function but transform has: adapters by boto3, ingest, purges, bulk jobs, scheduled work, masters."""
