// URLs of imgproxy's own client for Node: {endpoint, key, salt, rows: [{source, options}]} to a list of URLs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { folder, endpoint, key, salt, rows } = JSON.parse(readFileSync(0, 'utf8'));
const { generateImageUrl } = createRequire(folder + '/')('@imgproxy/imgproxy-node');

console.log(JSON.stringify(rows.map(({ source, options }) => generateImageUrl({ endpoint, url: source, options, key, salt }))));
