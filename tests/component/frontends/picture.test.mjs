import assert from 'node:assert/strict';
import { test } from 'node:test';

import { img, picture } from '../../../frontends/picture.mjs';

const SHOWN = { base: 'https://p.example', key: 'a.jpg', alt: 'A', width: 400, height: 300 };
const types = html => [...html.matchAll(/type="image\/(\w+)"|f=(\w+)"? 400w" sizes="100vw" alt/g)].map(found => found[1] ?? found[2]);

test('one img, whose formats the viewer decides', () => {
    assert.equal(
        img({ ...SHOWN, sizes: '50vw' }),
        '<img src="https://p.example/a.jpg?w=480&amp;dpr=1" srcset="https://p.example/a.jpg?w=320&amp;dpr=1 320w, '
        + 'https://p.example/a.jpg?w=480&amp;dpr=1 400w" sizes="50vw" alt="A" width="400" height="300" loading="lazy" decoding="async">',
    );
});

test('the img without srcset is of a usual width', () => {
    assert.match(img({ ...SHOWN, width: 9000 }), /^<img src="[^"]*w=1280&/);
    assert.match(img({ ...SHOWN, width: 10 }), /^<img src="[^"]*w=320&/);
});

test('texts are escaped, and an empty alt stays', () => {
    const html = img({ ...SHOWN, alt: `"><script>&'` });
    assert.match(html, / alt="&quot;&gt;&lt;script&gt;&amp;'" /);
    assert.match(img({ ...SHOWN, alt: '' }), / alt="" /);
    assert.match(img({ ...SHOWN, sizes: '"onload=' }), / sizes="&quot;onload=" /);
});

test('what f=json says is shown while the image loads', () => {
    const description = { dominant: '#8a6f4d', thumbhash: '1QcSHQ==', colour: { alpha: false } };
    assert.match(img({ ...SHOWN, description }), / style="background-color:#8a6f4d" data-thumbhash="1QcSHQ=="/);
    assert.doesNotMatch(img({ ...SHOWN, description: { ...description, colour: { alpha: true } } }), /style=/);
    assert.doesNotMatch(img({ ...SHOWN, description: { dominant: 'red;x' } }), /style=/);
});

test('a <picture> has a source for each format, the best first', () => {
    const html = picture(SHOWN);
    assert.deepEqual(types(html), ['avif', 'webp', 'jpeg']);
    assert.match(html, /^<picture><source type="image\/avif" srcset="[^"]*f=avif 320w, [^"]*" sizes="100vw">/);
    assert.match(html, /<img src="[^"]*f=jpeg" [^>]*><\/picture>$/);
    assert.deepEqual(types(picture({ ...SHOWN, description: { animated: true } })), ['webp', 'gif']);
    assert.deepEqual(types(picture({ ...SHOWN, description: { colour: { alpha: true } } })), ['avif', 'webp', 'png']);
    assert.deepEqual(types(picture(SHOWN, { formats: ['webp', 'png'] })), ['webp', 'png']);
});

test('other cuts come before the formats, with their sizes', () => {
    const directed = [{ media: '(max-width: 600px)', preset: 'cover' }, { media: 'print', preset: 'w640', key: 'b.jpg' }];
    const html = picture(SHOWN, { directed });
    assert.ok(html.startsWith(
        '<picture><source media="(max-width: 600px)" srcset="https://p.example/a.jpg?preset=cover" width="256" height="256">'
        + '<source media="print" srcset="https://p.example/b.jpg?preset=w640"><source type="image/avif"',
    ), html);
});
