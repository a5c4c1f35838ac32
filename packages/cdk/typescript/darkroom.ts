// Construct of the AWS CDK that creates the stack of a release as a nested stack.

import { readFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import { AssetStaging, CfnStack, type FileAssetLocation, FileAssetPackaging, Fn, Stack } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { Output, Parameters } from "./parameters";

export interface DarkroomProps extends Parameters {
  /** Folder of the release, whose files become assets of the app. */
  readonly release: string;
}

export class Darkroom extends Construct {
  readonly stack: CfnStack;

  constructor(scope: Construct, id: string, props: DarkroomProps) {
    super(scope, id);
    const { release, ...given } = props;
    const read = (file: string) => JSON.parse(readFileSync(resolve(release, file), "utf8"));
    const manifest = read("release.json");
    const path: string = manifest.templates[given.arch ?? "arm64"][""];
    const parameters: Record<string, string> = {};
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined) continue;
      parameters[name.charAt(0).toUpperCase() + name.slice(1)] = Array.isArray(value) ? Fn.join(",", value) : String(value);
    }
    const values: Record<string, string> = {};
    for (const [name, one] of Object.entries<{ Default?: unknown }>(read(path).Parameters)) {
      values[name] = parameters[name] ?? String(one.Default ?? "");
    }
    const stored: Record<string, FileAssetLocation> = {};
    for (const [file, uses] of Object.entries<Record<string, string[]>>(read("files.json"))) {
      if (!Object.entries(uses).every(([name, accepted]) => accepted.includes(values[name]))) continue;
      stored[file] = this.store(resolve(release, file), `darkroom/${manifest.version}/${file}`);
    }
    const { bucketName, objectKey, httpUrl } = stored[path];
    const places = { ReleaseBucket: bucketName, ReleasePrefix: objectKey.slice(0, -path.length) };
    this.stack = new CfnStack(this, "Stack", { templateUrl: httpUrl, parameters: { ...parameters, ...places } });
  }

  /** Return an output of the stack. */
  output(name: Output): string {
    return this.stack.getAtt(`Outputs.${name}`).toString();
  }

  /** Make a file an asset with the key that the template expects, below the prefix of the synthesizer. */
  private store(sourcePath: string, key: string): FileAssetLocation {
    const stack = Stack.of(this);
    return stack.synthesizer.addFileAsset({
      fileName: new AssetStaging(this, key, { sourcePath }).relativeStagedPath(stack),
      packaging: FileAssetPackaging.FILE,
      sourceHash: key.slice(0, -extname(key).length),
    });
  }
}
