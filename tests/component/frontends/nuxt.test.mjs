import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LADDER } from '../../../frontends/darkroom.mjs';
import { darkroomImage } from '../../../frontends/nuxt-config.mjs';
import provider, { getImage } from '../../../frontends/nuxt-provider.mjs';

const baseURL = 'https://images.example.com';

test('both versions of Nuxt Image get the same provider', () => assert.equal(provider().getImage, getImage));

test('a width goes up to the ladder, and what needs a signature is not followed', () => {
    const url = modifiers => getImage('/a%20b.jpg', { modifiers, baseURL }).url;
    assert.equal(url({ width: 700, height: 300, fit: 'cover', quality: 40 }), baseURL + '/a%20b.jpg?w=800&dpr=1');
    assert.equal(url({ width: 640, format: 'avif' }), baseURL + '/a%20b.jpg?w=640&dpr=1&f=avif');
    assert.equal(url({ format: 'webp' }), baseURL + '/a%20b.jpg?w=3840&dpr=1&f=webp');
    assert.equal(url({ preset: 'cover', width: 3 }), baseURL + '/a%20b.jpg?preset=cover');
    assert.equal(url({}), baseURL + '/a%20b.jpg');
    assert.equal(getImage(baseURL + '/a.jpg', { baseURL }).url, baseURL + '/a.jpg');
    assert.throws(() => getImage('https://elsewhere.example/a.jpg', { baseURL }), RangeError);
});

test('screens and their doubles are widths of the ladder', () => {
    const { screens, densities } = darkroomImage(baseURL, '~/p.mjs');
    Object.values(screens).forEach(px => densities.forEach(density => assert.ok(LADDER.includes(px * density), `${px} ${density}`)));
});
