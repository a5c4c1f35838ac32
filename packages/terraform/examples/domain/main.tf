# Darkroom on a domain of its own: a bucket for the release, a certificate, the stack and the DNS record.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "domain_name" {
  type        = string
  description = "Host name of the images, as in images.example.com."
}

variable "zone_name" {
  type        = string
  description = "Hosted zone of Route 53 with the host name, as in example.com."
}

provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "cloudfront" # takes certificates from this region only
  region = "us-east-1"
}

data "aws_route53_zone" "zone" {
  name = var.zone_name
}

resource "aws_s3_bucket" "release" {
  bucket_prefix = "darkroom-release-"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "release" {
  bucket                  = aws_s3_bucket.release.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_acm_certificate" "images" {
  provider          = aws.cloudfront
  domain_name       = var.domain_name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = { for one in aws_acm_certificate.images.domain_validation_options : one.domain_name => one }

  zone_id = data.aws_route53_zone.zone.zone_id
  name    = each.value.resource_record_name
  type    = each.value.resource_record_type
  records = [each.value.resource_record_value]
  ttl     = 300
}

resource "aws_acm_certificate_validation" "images" {
  provider                = aws.cloudfront
  certificate_arn         = aws_acm_certificate.images.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

module "darkroom" {
  source = "../.."

  release_bucket  = aws_s3_bucket.release.id
  domain_name     = var.domain_name
  certificate_arn = aws_acm_certificate_validation.images.certificate_arn
  cors_origins    = ["https://${var.zone_name}"]
}

resource "aws_route53_record" "images" {
  for_each = toset(["A", "AAAA"])

  zone_id = data.aws_route53_zone.zone.zone_id
  name    = var.domain_name
  type    = each.value

  alias {
    name                   = module.darkroom.distribution_domain_name
    zone_id                = "Z2FDTNDATAQYW2" # of every distribution of CloudFront
    evaluate_target_health = false
  }
}

output "cdn_url" {
  value = module.darkroom.cdn_url
}
