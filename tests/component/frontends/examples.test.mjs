// The code of docs/guides/frontends.md that runs without a framework. What needs one is tried by its parts in the other tests.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { LADDER } from '../../../frontends/darkroom.mjs';

process.env.DARKROOM_SIGNING_KEY = 'k';
const example = name => import(`../../../frontends/examples/${name}`);

test('next.config.mjs', async () => {
    const { default: config } = await example('next.config.mjs');
    assert.deepEqual([...config.images.imageSizes, ...config.images.deviceSizes], LADDER);
});

test('signed.mjs', async () => {
    const { banner } = await example('signed.mjs');
    const url = new URL(banner('a b.jpg'));
    assert.equal(url.pathname, '/a%20b.jpg');
    assert.ok(Math.abs(url.searchParams.get('exp') - Date.now() / 1000 - 3600) < 60);
    assert.equal(url.searchParams.get('s').length, 43);
});

test('unpic-signed.mjs', async () => {
    const { portrait } = await example('unpic-signed.mjs');
    assert.match(portrait('/a.jpg', 96), /\/a\.jpg\?fit=cover&w=96&h=96&dpr=1&q=auto&gravity=face&s=[\w-]{43}$/);
});

test('nuxt.config.mjs', async () => {
    const { image } = (await example('nuxt.config.mjs')).default;
    assert.deepEqual(image.providers.darkroom.options, { baseURL: 'https://images.example.com' });
});

test('astro.config.mjs', async () => {
    const { image } = (await example('astro.config.mjs')).default;
    const { default: service } = await import(`../../../${image.service.entrypoint}`);
    assert.equal(service.getURL({ src: '/a.jpg', width: 640 }, image), 'https://images.example.com/a.jpg?w=640&dpr=1');
});

test('ipx.mjs', async () => {
    const { redirectIpx } = await example('ipx.mjs');
    const answer = redirectIpx(new Request('https://www.example.com/_ipx/w_200,blur_3/a%20b.jpg'));
    assert.equal(answer.status, 301);
    assert.match(answer.headers.get('location'), /^https:\/\/images\.example\.com\/a%20b\.jpg\?w=200&blur=3&dpr=1&s=/);
    assert.equal(redirectIpx(new Request('https://www.example.com/_ipx/negate/a.jpg')).status, 400);
});

test('page.mjs', async context => {
    const asked = [];
    const server = createServer((request, response) => {
        asked.push(request.url);
        response.end(JSON.stringify({ width: 640, height: 480, dominant: '#8a6f4d', colour: {} }));
    });
    await new Promise(ready => server.listen(0, '127.0.0.1', ready));
    context.after(() => server.close());
    process.env.DARKROOM_URL = `http://127.0.0.1:${server.address().port}`;
    const { banner, figure } = await example('page.mjs');
    const html = await figure('a.jpg', 'A');
    assert.deepEqual(asked, ['/a.jpg?f=json']);
    assert.match(html, /640w" sizes="\(min-width: 60rem\) 40rem, 100vw" alt="A" width="640" height="480" .*#8a6f4d/);
    assert.match(banner('a.jpg', 'A', { width: 640, height: 480 }), /<source media="\(max-width: 30rem\)" srcset="[^"]*preset=social"/);
});
