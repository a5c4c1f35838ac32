// Answer paths of ipx twice: {folder, images, paths} to [{url} | {refused}, {data, format} | {failed}] for each path.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { ipxUrl } from "../../../frontends/ipx.mjs";

const { folder, images, paths } = JSON.parse(readFileSync(0, "utf8"));
const entry = createRequire(join(folder, "run.cjs")).resolve("ipx").replace(/index\.cjs$/, "index.mjs");
const { createIPX, createIPXWebServer, ipxFSStorage } = await import(pathToFileURL(entry));
const serve = createIPXWebServer(createIPX({ storage: ipxFSStorage({ dir: images }) }));

const attempt = async (make, otherwise) => {
  try {
    return await make();
  } catch (error) {
    return { [otherwise]: error.message };
  }
};

const found = [];
for (const path of paths) {
  const ours = await attempt(() => ({ url: ipxUrl(path, { sign: url => url }) }), "refused");
  const theirs = await attempt(async () => {
    const answer = await serve(new Request(`http://localhost${path}`));
    const data = Buffer.from(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`${answer.status} ${data}`);
    return { data: data.toString("base64"), type: answer.headers.get("content-type") };
  }, "failed");
  found.push({ ours, theirs });
}
console.log(JSON.stringify(found));
