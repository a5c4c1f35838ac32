import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env.DARKROOM_SIGNING_KEY = 'k';
const { default: service } = await import('../../../frontends/astro-service.mjs');
const { default: signed, gravityOf } = await import('../../../frontends/astro-signed.mjs');
const config = { service: { config: { baseURL: 'https://images.example.com' } } };
const options = { src: '/a.jpg', width: 700, height: 350, quality: 60, fit: 'cover', alt: 'A' };

test('a URL without a signature has a width of the ladder', () => {
    assert.equal(service.getURL(options, config), 'https://images.example.com/a.jpg?w=800&dpr=1');
    assert.equal(service.getURL({ ...options, format: 'avif' }, config), 'https://images.example.com/a.jpg?w=800&dpr=1&f=avif');
    assert.equal(service.getURL({ ...options, preset: 'cover' }, config), 'https://images.example.com/a.jpg?preset=cover');
});

test('a signed URL has the exact size, shape and quality', () => {
    assert.match(
        signed.getURL({ ...options, position: 'right top' }, config),
        /\/a\.jpg\?w=700&h=350&fit=cover&g=northeast&dpr=1&q=60&s=[\w-]{43}$/,
    );
    assert.match(signed.getURL({ ...options, fit: 'scale-down', quality: 'high' }, config), /fit=contain&dpr=1&q=80&s=/);
    assert.throws(() => signed.getURL({ ...options, fit: 'outside' }, config), /There is no fit 'outside'/);
});

test('positions of CSS are gravities', () => {
    const pairs = { top: 'north', 'left bottom': 'southwest', 'bottom left': 'southwest', center: 'center', '50% 20%': 'fp:0.5:0.2', '25%': 'fp:0.25:0.5', face: 'face' };
    Object.entries(pairs).forEach(([position, gravity]) => assert.equal(gravityOf(position), gravity));
    ['10px 20px', 'top 10px'].forEach(position => assert.throws(() => gravityOf(position), RangeError));
});

test('a srcset has each width of the ladder once', () => {
    const set = service.getSrcSet({ ...options, widths: [1000, 640, 700, 790] });
    assert.deepEqual(set.map(({ descriptor }) => descriptor), ['640w', '800w', '1280w']);
    assert.deepEqual(set[0].transform.height, 320);
    const dense = service.getSrcSet({ ...options, densities: [2, '1x'] });
    assert.deepEqual(dense.map(({ descriptor, transform }) => [descriptor, transform.width]), [['1x', 800], ['2x', 1536]]);
});

test('attributes of the element are those of the page', () => {
    const attributes = service.getHTMLAttributes({ ...options, loading: undefined, class: 'wide', widths: [1], layout: 'fixed' });
    assert.deepEqual(attributes, { loading: 'lazy', decoding: 'async', alt: 'A', class: 'wide', width: 700, height: 350 });
});

test('an image that Astro bundles keeps its URL, and one without a size is refused', () => {
    const bundled = { src: { src: '/_astro/a.hash.jpg', width: 10, height: 5 }, alt: 'A' };
    assert.equal(service.getURL(service.validateOptions(bundled), config), '/_astro/a.hash.jpg');
    assert.deepEqual(service.getSrcSet({ ...bundled, widths: [5] }), []);
    assert.equal(service.getHTMLAttributes({ ...bundled, width: undefined }).width, 10);
    assert.throws(() => service.validateOptions({ src: '/a.jpg', height: 3 }), /needs width/);
});
