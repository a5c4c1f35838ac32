import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Signer, signMessage } from './index.js';

const { key, images, extensions, targets, messages } = JSON.parse(readFileSync(new URL('../signing.json', import.meta.url), 'utf8'));
const signer = new Signer('', key);

test('targets are signed as they are written', () => {
    for (const { target, expires, signed } of [...images, ...targets]) {
        assert.equal(signer.sign(target, expires), signed);
    }
});

test('URLs are built from a key and options', () => {
    for (const { image, options, expires, signed } of images) {
        assert.equal(new Signer('https://images.example.com/', key).url(image, options, expires), `https://images.example.com${signed}`);
    }
});

test('URLs of extensions are built from a key and options', () => {
    for (const { image, name, options, expires, signed } of extensions) {
        assert.equal(new Signer('https://images.example.com/', key).extension(image, name, options, expires), `https://images.example.com${signed}`);
    }
});

test('messages are signed for their purposes', () => {
    for (const { purpose, text, signature } of messages) {
        assert.equal(signMessage(text, key, purpose), signature);
    }
});

test('dates, booleans and missing values', () => {
    assert.equal(signer.url('a.jpg', { w: 1, gray: true, h: undefined }, new Date(5900)), signer.sign('/a.jpg?gray=1&w=1', 5));
});

test('keys that no image has', () => {
    for (const image of ['', 'a//b.jpg', '../a.jpg', 'a/./b.jpg', 'a.jpg/_/w-9.webp']) {
        assert.throws(() => signer.url(image), RangeError);
        assert.throws(() => signer.extension(image, 'example', { w: 64 }), RangeError);
        assert.throws(() => signer.sign(`/${image}?w=1`), RangeError);
    }
    assert.throws(() => signer.sign('a.jpg'), RangeError);
    assert.throws(() => new Signer('', ''), RangeError);
    assert.throws(() => signMessage('upload-token:MTkw', key), RangeError);
    assert.throws(() => signMessage('/a.jpg', ''), RangeError);
});
