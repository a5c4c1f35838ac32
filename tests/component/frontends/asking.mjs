// Reads one URL a line, as JSON, and says what frontends/canonical.mjs makes of it.
import { createInterface } from 'node:readline';

import { read, Refusal } from '../../../frontends/canonical.mjs';

function answer(target) {
    try {
        return read(target);
    } catch (error) {
        if (!(error instanceof Refusal)) {
            throw error;
        }
        return { code: error.code, detail: error.message, option: error.option ?? '' };
    }
}

for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n');
}
