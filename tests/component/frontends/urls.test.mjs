import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { darkroomUrl, keyOf, keyPath, LADDER, ladderWidth, offeredWidths, srcset, widthUrl } from '../../../frontends/darkroom.mjs';
import { read, Refusal } from '../../../frontends/canonical.mjs';
import { sign, signedExtension, signUrl, signedUrl } from '../../../frontends/sign.mjs';

const BASE = 'https://images.example.com';

test('a key is encoded in its one spelling', () => {
    assert.equal(keyPath("2024/é+ä (1)!*'.jpg"), '/2024/%C3%A9%2B%C3%A4%20%281%29%21%2A%27.jpg');
    assert.equal(keyPath('/photo.jpg'), '/photo.jpg');
});

test('a key that would name another image, or none, is refused', () => {
    ['', '/', 'a//b', '../a', 'a/./b', 'a/_/b', 'a/'].forEach(key => assert.throws(() => keyPath(key), RangeError, key));
});

test('a URL gives its key back', () => {
    const key = 'a b/é?#%.jpg';
    assert.equal(keyOf(darkroomUrl(BASE, key, { w: 3 }), BASE), key);
    assert.equal(keyOf(darkroomUrl('', key), BASE), key);
    assert.equal(keyOf('photo.jpg'), 'photo.jpg');
    ['https://elsewhere.example/a.jpg', '//elsewhere.example/a.jpg', 'data:image/gif;base64,AA', `${BASE}.evil.example/a.jpg`]
        .forEach(src => assert.throws(() => keyOf(src, BASE), RangeError, src));
});

test('options are written as a query, by either name', () => {
    const options = { width: 600, h: 400, fit: 'cover', g: 'fp:0.25:0.5', pad: [1, 2], up: true, dl: 'a & b.jpg', q: undefined };
    assert.equal(
        darkroomUrl(BASE + '/', 'photo.jpg', options),
        BASE + '/photo.jpg?width=600&h=400&fit=cover&g=fp:0.25:0.5&pad=1,2&up=1&dl=a%20%26%20b.jpg',
    );
    assert.equal(darkroomUrl('', 'photo.jpg'), '/photo.jpg');
    assert.throws(() => darkroomUrl('', 'photo.jpg', { size: 3 }), /There is no option 'size'/);
});

test('a width goes up to the ladder, and no further than its end', () => {
    assert.deepEqual([1, 320, 321, 3840, 9999].map(ladderWidth), [320, 320, 480, 3840, 3840]);
    assert.equal(widthUrl('', 'a.jpg', 700, { format: 'webp' }), '/a.jpg?w=800&dpr=1&f=webp');
});

test('a srcset ends with the image as wide as it is', () => {
    assert.deepEqual(offeredWidths(30), [[320, 30]]);
    assert.deepEqual(offeredWidths(500), [[320, 320], [480, 480], [640, 500]]);
    assert.deepEqual(offeredWidths(9000), LADDER.map(step => [step, step]));
    assert.equal(srcset('', 'a.jpg', 400), '/a.jpg?w=320&dpr=1 320w, /a.jpg?w=480&dpr=1 400w');
});

test('a canonical request has the encoding of the key', () => {
    const cases = JSON.parse(readFileSync(new URL('../../cases/keys.json', import.meta.url), 'utf8'));
    cases.forEach(({ key, encoded }) =>
        assert.equal(read(darkroomUrl('', key, { w: 801 })).request, `/${encoded}/_/w-801.auto`, key));
});

test('a signature is that of OpenSSL', () => {
    // printf '/photo.jpg/_/w-801.auto' | openssl dgst -sha256 -hmac secret -binary | basenc --base64url
    assert.equal(sign('/photo.jpg/_/w-801.auto', 'secret'), 'sahDiqQYkAm2eUH2AfkkKeVWvY9-kHMyY_b4jwuvnfc');
    assert.equal(sign('/photo.jpg/_/w-801.auto', 'secret', 1900000000), 'R1XicfEtUG3ZY9xXVcU9jowv76lDWLXSMEqfr50ox7I');
});

test('what has the same meaning has the same signature', () => {
    const of = url => signUrl(url, 'k').replace(/.*&s=/, '');
    assert.equal(of('/photo.jpg?w=400&dpr=2&f=jpg'), of('/photo.jpg?f=jpeg&width=800&rot=0'));
    assert.notEqual(of('/photo.jpg?w=801'), of('/photo.jpg?w=802'));
});

test('URLs of extensions are those of the other signers', () => {
    const { key, extensions } = JSON.parse(readFileSync(new URL('../../../packages/signers/signing.json', import.meta.url), 'utf8'));
    extensions.forEach(({ image, name, options, expires, signed }) =>
        assert.equal(signedExtension(BASE + '/', image, name, options, { key, expiresS: expires ?? undefined }), BASE + signed, image));
    ['', 'a//b', 'a/_/b'].forEach(image => assert.throws(() => signedExtension(BASE, image, 'example', { w: 64 }, { key }), RangeError));
});

test('every test vector has its canonical signature', () => {
    const { key, images, targets } = JSON.parse(readFileSync(new URL('../../../packages/signers/signing.json', import.meta.url), 'utf8'));
    [...images, ...targets].forEach(({ target, expires, canonical_signature: expected }) =>
        assert.equal(signUrl(target, key, expires ?? undefined).split(/[?&]s=/).pop(), expected, target));
});

test('an older signature is replaced, and the rest stays as it is written', () => {
    const once = signUrl(BASE + '/photo.jpg?w=801', 'k', 5);
    assert.match(once, /^https:\/\/images\.example\.com\/photo\.jpg\?w=801&exp=5&s=[\w-]{43}$/);
    assert.equal(signUrl(once, 'k', 5), once);
    assert.equal(signUrl(once.replace('&s=', '&signature=').replace('&exp=', '&expires='), 'k', 5), once);
    assert.equal(signUrl(once, 'k'), signUrl(BASE + '/photo.jpg?w=801', 'k'));
    assert.equal(signedUrl(BASE, 'photo.jpg', { w: 801 }, { key: 'k', expiresS: 5 }), once);
});

test('nothing is signed that would be refused', () => {
    const refused = { '/photo.jpg?w=0': 'bad-option', '/photo.jpg?size=1': 'unknown-option', '/a/_/b': 'bad-key' };
    Object.entries(refused).forEach(([url, code]) =>
        assert.throws(() => signUrl(url, 'k'), error => error instanceof Refusal && error.code === code, url));
    assert.throws(() => signUrl('/photo.jpg?redact=faces&page=1', 'k'), { code: 'bad-option', option: 'page' });
});

test('what needs a signature is known', () => {
    assert.equal(read('/photo.jpg?w=640&f=webp').needsSignature, false);
    assert.equal(read('/photo.jpg?preset=cover').needsSignature, false);
    assert.equal(read('/photo.jpg?w=641').needsSignature, true);
});
