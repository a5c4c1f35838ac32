// The module `crypto` of CloudFront Functions ("Built-in modules", CloudFront developer guide), as far as SHA-256 goes:
// FIPS 180-4 and RFC 2104, of texts. Embedded V8 has no such module, and a function cannot wait for one outside. Tests run
// this without the methods that CloudFront's engine lacks.
const __crypto = (() => {
    const BLOCK_BYTES = 64;
    const primes = [];
    for (let n = 2; primes.length < 64; n++) {
        if (primes.every(prime => n % prime)) {
            primes.push(n);
        }
    }
    const fraction = root => (root - Math.floor(root)) * 2 ** 32 | 0;
    const constants = primes.map(prime => fraction(Math.cbrt(prime)));
    const initial = primes.slice(0, 8).map(prime => fraction(Math.sqrt(prime)));
    const bytesOfWord = word => [24, 16, 8, 0].map(shift => word >>> shift & 255);
    const rotate = (word, bits) => word >>> bits | word << 32 - bits;

    const codesOf = text => text.split('').map(character => character.charCodeAt(0));
    const bytesOf = text => encodeURIComponent(text).split('%').reduce((bytes, part, at) =>
        bytes.concat(at ? parseInt(part.slice(0, 2), 16) : [], codesOf(at ? part.slice(2) : part)), []);

    const compress = (state, words) => {
        for (let at = 16; at < 64; at++) {
            const [early, late] = [words[at - 15], words[at - 2]];
            words[at] = words[at - 16] + words[at - 7]
                + (rotate(early, 7) ^ rotate(early, 18) ^ early >>> 3)
                + (rotate(late, 17) ^ rotate(late, 19) ^ late >>> 10) | 0;
        }
        let [a, b, c, d, e, f, g, h] = state;
        for (let at = 0; at < 64; at++) {
            const first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (e & f ^ ~e & g) + constants[at] + words[at] | 0;
            const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
            [a, b, c, d, e, f, g, h] = [first + second | 0, a, b, c, d + first | 0, e, f, g];
        }
        return [a, b, c, d, e, f, g, h].map((word, at) => word + state[at] | 0);
    };

    const sha256 = bytes => {
        const padded = bytes.concat(0x80);
        while (padded.length % BLOCK_BYTES !== BLOCK_BYTES - 8) {
            padded.push(0);
        }
        const bits = bytes.length * 8;
        const whole = padded.concat(bytesOfWord(Math.floor(bits / 2 ** 32)), bytesOfWord(bits));
        let state = initial;
        for (let start = 0; start < whole.length; start += BLOCK_BYTES) {
            const words = [];
            for (let at = start; at < start + BLOCK_BYTES; at += 4) {
                words.push(whole[at] << 24 | whole[at + 1] << 16 | whole[at + 2] << 8 | whole[at + 3]);
            }
            state = compress(state, words);
        }
        return state.reduce((bytes, word) => bytes.concat(bytesOfWord(word)), []);
    };

    const base64 = bytes => {
        const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
        let text = '';
        for (let at = 0; at < bytes.length; at += 3) {
            const word = bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2];
            text += [18, 12, 6, 0].map((shift, index) => at + index > bytes.length ? '=' : letters[word >> shift & 63]).join('');
        }
        return text;
    };
    const encodings = {
        hex: bytes => bytes.map(byte => (256 + byte).toString(16).slice(1)).join(''),
        base64: base64,
        base64url: bytes => base64(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')
    };

    const digestOf = (algorithm, complete) => {
        if (algorithm !== 'sha256') {
            throw new Error("the local CDN computes sha256 only, not '" + algorithm + "'");
        }
        let bytes = [];
        return {
            update(text) {
                bytes = bytes.concat(bytesOf(text));
                return this;
            },
            digest(encoding) {
                if (!encodings[encoding]) {
                    throw new Error("the local CDN has no encoding '" + encoding + "' of digests");
                }
                return encodings[encoding](complete(bytes));
            }
        };
    };
    return {
        createHash: algorithm => digestOf(algorithm, sha256),
        createHmac: (algorithm, key) => {
            const given = bytesOf(key);
            const short = given.length > BLOCK_BYTES ? sha256(given) : given;
            const mask = value => primes.map((_, at) => (short[at] || 0) ^ value); // as many as a block has bytes
            return digestOf(algorithm, bytes => sha256(mask(0x5c).concat(sha256(mask(0x36).concat(bytes)))));
        }
    };
})();
