// With unpic's own code: the transformer that its components call, which are thin over @unpic/core for each framework.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { transformBaseImageProps, transformBaseSourceProps } from '@unpic/core/base';
import { createExtractAndGenerate } from 'unpic/utils';

import { breakpoints, extract, generate, transform } from '../../../frontends/unpic.mjs';
import { LADDER } from '../../../frontends/darkroom.mjs';
import { signUrl } from '../../../frontends/sign.mjs';

const baseURL = 'https://images.example.com';
const sign = url => signUrl(url, 'k');
const candidates = srcset => srcset.split(/,\n/).map(candidate => candidate.split(' '));

test("an image's widths are the ladder's", () => {
    const props = transformBaseImageProps({
        src: '/a.jpg', layout: 'constrained', width: 800, height: 600, alt: 'A', transformer: transform, options: { baseURL },
        breakpoints: breakpoints(),
    });
    assert.equal(props.src, baseURL + '/a.jpg?w=800&dpr=1');
    assert.equal(props.sizes, '(min-width: 800px) 800px, 100vw');
    assert.deepEqual(candidates(props.srcset), LADDER.map(width => [`${baseURL}/a.jpg?w=${width}&dpr=1`, `${width}w`]));
});

test("unpic's own breakpoints go up to the ladder", () => {
    const props = transformBaseImageProps({ src: '/a.jpg', layout: 'fullWidth', transformer: transform, options: { baseURL } });
    candidates(props.srcset).forEach(([url, descriptor]) => {
        const width = Number(new URL(url).searchParams.get('w'));
        assert.ok(LADDER.includes(width) && (width >= parseInt(descriptor) || width === 3840), url);
    });
});

test('a placeholder is the smallest image', () => {
    const props = transformBaseImageProps({
        src: '/a.jpg', width: 800, height: 600, background: 'auto', transformer: transform, options: { baseURL },
    });
    assert.equal(props.style['background-image'], `url(${baseURL}/a.jpg?w=320&dpr=1)`);
});

test('a source has the format of its type', () => {
    const props = transformBaseSourceProps({
        src: '/a.jpg', layout: 'fullWidth', type: 'image/avif', media: 'print', transformer: transform, options: { baseURL },
        breakpoints: breakpoints(),
    });
    assert.equal(candidates(props.srcset)[0][0], baseURL + '/a.jpg?w=320&dpr=1&f=avif');
    assert.deepEqual([props.type, props.media], ['image/avif', 'print']);
});

test('a server signs the exact size, shape and options', () => {
    const props = transformBaseImageProps({
        src: '/a.jpg', layout: 'fixed', width: 333, height: 222, transformer: transform, options: { baseURL, sign },
        operations: { quality: 60, g: 'face' },
    });
    assert.deepEqual(
        candidates(props.srcset).map(([url]) => url.replace(/&s=[\w-]{43}$/, '&s=…')),
        [`${baseURL}/a.jpg?fit=cover&w=333&h=222&dpr=1&q=60&g=face&s=…`, `${baseURL}/a.jpg?fit=cover&w=666&h=444&dpr=1&q=60&g=face&s=…`],
    );
});

test('a URL is taken apart and put together as by the providers of unpic', () => {
    const url = baseURL + '/a%20b.jpg?w=640&dpr=1&f=webp';
    const found = extract(url, { baseURL });
    assert.deepEqual(found, {
        src: baseURL + '/a%20b.jpg', operations: { width: 640, format: 'webp' }, options: { baseURL },
    });
    assert.equal(generate(found.src, found.operations, found.options), url);
    const theirs = createExtractAndGenerate(extract, generate);
    [[url, { width: 1000 }], [url, { format: 'avif' }], [new URL(url), {}], ['/a.jpg', { width: 3, height: 4 }], ['/a.jpg?w=320', {}]]
        .forEach(([src, operations]) =>
            assert.equal(transform(src, operations, { baseURL }), theirs(src, operations, { baseURL }), String(src)));
    assert.equal(transform(url, { width: 1000 }, { baseURL }), baseURL + '/a%20b.jpg?w=1280&dpr=1&f=webp');
    assert.equal(extract('https://elsewhere.example/a.jpg', { baseURL }), null);
    assert.equal(extract('//elsewhere.example/a.jpg', { baseURL }), null);
});

test('a signed URL is taken apart without its signature', () => {
    const found = extract(sign(baseURL + '/a.jpg?gravity=face&width=33&height=44&fit=cover&q=auto'), { baseURL });
    assert.deepEqual(found.operations, { gravity: 'face', width: 33, height: 44, fit: 'cover', quality: 'auto' });
});

test('presets, images without options, and formats alone', () => {
    assert.equal(generate('/a.jpg', { preset: 'cover' }, { baseURL }), baseURL + '/a.jpg?preset=cover');
    assert.equal(generate('/a.jpg', {}, { baseURL }), baseURL + '/a.jpg');
    assert.equal(generate('/a.jpg', { format: 'webp' }, { baseURL }), baseURL + '/a.jpg?w=3840&dpr=1&f=webp');
    assert.throws(() => generate('/a.jpg', { width: 3, colour: 'red' }, { baseURL, sign }), /There is no option 'colour'/);
});
