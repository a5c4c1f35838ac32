"""The constructs of packages/cdk with the AWS CDK for Python and for TypeScript."""
