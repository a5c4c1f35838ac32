// URLs as imgproxy's own client for Node makes them: rows of JSON on standard input, one URL or error for each.

import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';

const {folder, key, salt, source, rows} = JSON.parse(readFileSync(0, 'utf8'));
const {generateImageUrl, generateImageInfoUrl} = createRequire(folder + '/')('@imgproxy/imgproxy-node');

const answers = rows.map(({options, info, displayAs}) => {
    const wanted = {endpoint: 'https://images.example.com/imgproxy', url: {value: source, displayAs}, options, key, salt};
    try {
        return {url: (info ? generateImageInfoUrl : generateImageUrl)(wanted)};
    } catch (error) {
        return {error: error.message};
    }
});
process.stdout.write(JSON.stringify(answers));
