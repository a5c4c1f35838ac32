# A stack of this release. variables.tf.json and outputs.tf.json are generated from its template.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "release_bucket" {
  type        = string
  description = "Existing bucket for the files of the release, in the region of the stack."
}

variable "stack_name" {
  type        = string
  default     = "darkroom"
  description = "Name of the CloudFormation stack."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Tags of the stack, which CloudFormation gives to its resources."
}

variable "timeout" {
  type        = string
  default     = "90m"
  description = "Longest time that creation, an update or deletion may take."
}

data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  folder   = "${path.module}/.."
  release  = jsondecode(file("${local.folder}/release.json"))
  prefix   = "darkroom/${local.release.version}/"
  template = local.release.templates[local.parameters.Arch][""]
  s3       = "https://s3.${data.aws_region.current.id}.${data.aws_partition.current.dns_suffix}"
  # Values of parameters for which the stack reads a file.
  uses = jsondecode(file("${local.folder}/files.json"))
  files = toset([
    for path, uses in local.uses : path
    if alltrue([for name, values in uses : contains(values, local.parameters[name])])
  ])
}

resource "aws_s3_object" "release" {
  for_each = local.files

  bucket      = var.release_bucket
  key         = "${local.prefix}${each.value}"
  source      = "${local.folder}/${each.value}"
  source_hash = filesha256("${local.folder}/${each.value}")

  lifecycle {
    # Files of the former release stay until the stack is updated: a rollback reads them.
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "darkroom" {
  name         = var.stack_name
  template_url = "${local.s3}/${var.release_bucket}/${local.prefix}${local.template}"
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags

  parameters = merge(local.parameters, {
    ReleaseBucket = var.release_bucket
    ReleasePrefix = local.prefix
  })

  timeouts {
    create = var.timeout
    update = var.timeout
    delete = var.timeout
  }

  depends_on = [aws_s3_object.release]
}

output "stack_name" {
  value       = aws_cloudformation_stack.darkroom.name
  description = "For commands of darkroom: --stack."
}
