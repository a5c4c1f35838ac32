// Against ipx itself: tests/peers/ipx.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ipxUrl, optionsOf, readIpx } from '../../../frontends/ipx.mjs';
import { signUrl } from '../../../frontends/sign.mjs';

const base = 'https://images.example.com';

test('a path of ipx is read with and without a prefix', () => {
    const wanted = { modifiers: { w: '200', f: 'webp' }, key: '2026/a%20b.jpg' };
    ['/_ipx/w_200,f_webp/2026/a%20b.jpg', '/width:200&format=webp/2026/a%20b.jpg'].forEach(path => assert.deepEqual(readIpx(path), wanted));
    assert.deepEqual(readIpx('/img/_/a.jpg', '/img'), { modifiers: {}, key: 'a.jpg' });
    ['/a.jpg', '/_ipx/w_200', ''].forEach(path => assert.throws(() => readIpx(path), /no path of ipx/));
});

test('without a signature a width and a format are followed', () => {
    assert.equal(ipxUrl('/_ipx/s_700x300,q_80/a.jpg', { base }), base + '/a.jpg?w=800&dpr=1');
    assert.equal(ipxUrl('/_ipx/f_webp/a.jpg', { base }), base + '/a.jpg?w=3840&dpr=1&f=webp');
    assert.equal(ipxUrl('/_ipx/_/a%20b.jpg', { base }), base + '/a%20b.jpg');
});

test('with one all modifiers are', () => {
    const sign = url => signUrl(url, 'k');
    assert.match(
        ipxUrl('/_ipx/s_300x200,pos_top,blur_2,grayscale,q_70,f_jpg/a.jpg', { base, sign }),
        /\/a\.jpg\?w=300&h=200&fit=cover&g=north&blur=2&gray=1&q=70&f=jpg&dpr=1&s=[\w-]{43}$/,
    );
});

test('what has no counterpart is refused', () => {
    ['negate_', 'fit_outside', 'rotate_45', 'blur_', 'extend_1_2', 'constructor_1', 'toString', 'fit_constructor'].forEach(written => {
        const { modifiers } = readIpx(`/s_2x2,${written}/a.jpg`);
        assert.throws(() => optionsOf(modifiers), /no counterpart/, written);
    });
});
