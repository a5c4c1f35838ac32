"""Darkroom on a domain of its own: ``RELEASE=./darkroom-1.0.0 cdk deploy --app "python example.py"``."""

import os

from aws_cdk import App, Environment, Stack
from aws_cdk.aws_certificatemanager import Certificate, CertificateValidation
from aws_cdk.aws_route53 import CnameRecord, HostedZone
from aws_cdk.aws_s3 import BlockPublicAccess, Bucket
from darkroom_cdk import Darkroom

DOMAIN, ZONE, ZONE_ID = "images.example.com", "example.com", "Z0123456789"

app = App()
stack = Stack(app, "Images", env=Environment(region="us-east-1"))  # CloudFront takes certificates from there only
zone = HostedZone.from_hosted_zone_attributes(stack, "Zone", zone_name=ZONE, hosted_zone_id=ZONE_ID)
certificate = Certificate(stack, "Certificate", domain_name=DOMAIN, validation=CertificateValidation.from_dns(zone))
masters = Bucket(stack, "Masters", block_public_access=BlockPublicAccess.BLOCK_ALL, event_bridge_enabled=True)
darkroom = Darkroom(
    stack,
    "Darkroom",
    release=os.environ["RELEASE"],
    source_bucket=masters.bucket_name,
    source_prefix="",
    domain_name=DOMAIN,
    certificate_arn=certificate.certificate_arn,
    cors_origins=[f"https://www.{ZONE}"],
)
CnameRecord(stack, "Record", zone=zone, record_name=DOMAIN, domain_name=darkroom.output("DistributionDomainName"))
app.synth()
