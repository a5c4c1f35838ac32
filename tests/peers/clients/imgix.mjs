// URLs of imgix's own client: {folder, token, rows: [{path, parameters}]} to a list of paths with their queries.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { folder, token, rows } = JSON.parse(readFileSync(0, 'utf8'));
const ImgixClient = createRequire(folder + '/')('@imgix/js-core');
const client = new ImgixClient({ domain: 'example.imgix.net', secureURLToken: token });

console.log(JSON.stringify(rows.map(({ path, parameters }) =>
    client.buildURL(path, parameters).replace('https://example.imgix.net', ''))));
