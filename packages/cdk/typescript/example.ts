// Darkroom on a domain of its own: RELEASE=./darkroom-1.0.0 cdk deploy --app "npx ts-node example.ts"

import { App, Stack } from "aws-cdk-lib";
import { Certificate, CertificateValidation } from "aws-cdk-lib/aws-certificatemanager";
import { CnameRecord, HostedZone } from "aws-cdk-lib/aws-route53";
import { BlockPublicAccess, Bucket } from "aws-cdk-lib/aws-s3";
import { Darkroom } from "./darkroom";

const domainName = "images.example.com";

const app = new App();
const stack = new Stack(app, "Images", { env: { region: "us-east-1" } }); // CloudFront takes certificates from there only
const zone = HostedZone.fromHostedZoneAttributes(stack, "Zone", { zoneName: "example.com", hostedZoneId: "Z0123456789" });
const certificate = new Certificate(stack, "Certificate", { domainName, validation: CertificateValidation.fromDns(zone) });
const masters = new Bucket(stack, "Masters", { blockPublicAccess: BlockPublicAccess.BLOCK_ALL, eventBridgeEnabled: true });
const darkroom = new Darkroom(stack, "Darkroom", {
  release: process.env.RELEASE ?? ".",
  sourceBucket: masters.bucketName,
  sourcePrefix: "",
  domainName,
  certificateArn: certificate.certificateArn,
  corsOrigins: ["https://www.example.com"],
});
new CnameRecord(stack, "Record", { zone, recordName: domainName, domainName: darkroom.output("DistributionDomainName") });
app.synth();
