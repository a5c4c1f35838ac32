import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env.NEXT_PUBLIC_DARKROOM_URL = 'https://images.example.com';
const { default: loader } = await import('../../../frontends/next-loader.mjs');
const { LADDER } = await import('../../../frontends/darkroom.mjs');
const { darkroomImages } = await import('../../../frontends/next-config.mjs');
const { signedLoader } = await import('../../../frontends/next-signed.mjs');

test('the loader gives a width of the ladder', () => {
    const wanted = 'https://images.example.com/2024/a%20b.jpg?w=800&dpr=1';
    ['2024/a%20b.jpg', '/2024/a%20b.jpg', 'https://images.example.com/2024/a%20b.jpg'].forEach(src =>
        assert.equal(loader({ src, width: 700, quality: 75 }), wanted));
});

test('the loader refuses images of others', () => {
    assert.throws(() => loader({ src: 'https://elsewhere.example/a.jpg', width: 640 }), RangeError);
});

test("Next's widths are the ladder's", () => {
    const { loader: kind, loaderFile, deviceSizes, imageSizes } = darkroomImages('./next-loader.mjs');
    assert.deepEqual([kind, loaderFile], ['custom', './next-loader.mjs']);
    assert.deepEqual([...imageSizes, ...deviceSizes], LADDER);
    assert.ok(Math.max(...imageSizes) < Math.min(...deviceSizes), 'Next refuses image sizes above device sizes');
});

test('the signing loader keeps a shape and follows quality', () => {
    const by = { base: 'https://images.example.com', key: 'k', expiresS: 1900000000 };
    const square = signedLoader(by, { w: 600, h: 400, fit: 'cover', g: 'face' });
    assert.match(
        square({ src: '/a.jpg', width: 1200, quality: 60 }),
        /\/a\.jpg\?w=1200&h=800&dpr=1&q=60&fit=cover&g=face&exp=1900000000&s=[\w-]{43}$/,
    );
    assert.match(signedLoader(by)({ src: '/a.jpg', width: 33 }), /\/a\.jpg\?w=33&dpr=1&exp=/);
});
