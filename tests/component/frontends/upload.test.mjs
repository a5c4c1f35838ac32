// Uploads by the Uploader over HTTP; what needs a browser is in tests/component/browser/test_upload_element.py.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';

import { formatBytes, mediaType, UploadError, Uploader } from '../../../frontends/upload.mjs';
import { errorOfApi, errorOfS3 } from '../../../frontends/upload-errors.mjs';
import { stripJpeg } from '../../../frontends/upload-prepare.mjs';
import { Reporter } from '../../../frontends/upload-report.mjs';

const file = (name, text = name, type = 'image/jpeg') => new File([text], name, { type });
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const digest = text => createHash('sha256').update(text).digest('hex');

/** An upload API and an S3 at one address. `answers` by `METHOD /path` are called with the request's body. */
async function serve(context, answers = {}) {
    const requests = [];
    const server = createServer(async (request, response) => {
        const body = Buffer.concat(await request.toArray()).toString('latin1');
        const name = `${request.method} ${request.url}`;
        requests.push({ name, body, token: request.headers.authorization });
        const usual = {
            'POST /uploads': text => [201, {
                url: `${base}/s3`, fields: { policy: 'p' }, status: `/uploads/${JSON.parse(text).key}`, expires_at: inAnHour(),
            }],
            'POST /s3': () => [204, '', { 'x-amz-version-id': 'v1' }],
            'POST /uploads/report': () => [202, {}],
        };
        const answer = answers[name] ?? usual[name] ?? (() => [200, { state: 'ready', version: 'v1' }]);
        const [status, document, headers = {}] = answer(body, requests.filter(each => each.name === name).length);
        response.writeHead(status, headers).end(typeof document === 'string' ? document : JSON.stringify(document));
    });
    await new Promise(ready => server.listen(0, '127.0.0.1', ready));
    context.after(() => server.close());
    const base = `http://127.0.0.1:${server.address().port}`;
    return { base, requests };
}

/** Upload files to their ends; return the items, and the states that each went through. */
async function upload(uploader, files) {
    const states = new Map();
    return new Promise(resolve => {
        uploader.addEventListener('change', ({ detail: item }) => {
            const seen = states.get(item.name) ?? [];
            states.set(item.name, seen.at(-1) === item.state ? seen : [...seen, item.state]);
            const items = uploader.items;
            if (items.length === files.length && items.every(each => ['ready', 'held', 'refused', 'failed'].includes(each.state))) {
                resolve({ items, states });
            }
        });
        uploader.add(files);
    });
}

const counts = (requests, name) => requests.filter(each => each.name === name).length;

describe('uploads', { concurrency: true }, () => {
    test('a file goes to S3 with the form for its very bytes, and its state is read', async context => {
        const { base, requests } = await serve(context);
        const { items: [item], states } = await upload(new Uploader({ api: `${base}/`, token: 't', prefix: 'trips/' }), [file('a.jpg', 'bytes')]);
        assert.deepEqual(states.get('a.jpg'), ['waiting', 'preparing', 'sending', 'processing', 'ready']);
        assert.deepEqual([item.key, item.sentSize, item.result.state], ['trips/a.jpg', 5, 'ready']);
        assert.deepEqual(JSON.parse(requests[0].body), { key: 'trips/a.jpg', type: 'image/jpeg', size: 5, sha256: digest('bytes') });
        assert.equal(requests[0].token, 'Bearer t');
        assert.match(requests[1].body, /name="policy"[^]*name="file"[^]*bytes/);
    });

    test('files of one name get keys of their own', async context => {
        const { base } = await serve(context);
        const uploader = new Uploader({ api: base, token: 't', concurrency: 1 }); // the first to be prepared gets the name
        const { items } = await upload(uploader, [file('a.jpg'), file('a.jpg', 'other'), file('b')]);
        assert.deepEqual(items.map(item => item.key), ['a.jpg', 'a-2.jpg', 'b']);
    });

    test('what is not available is tried again, with the same form', async context => {
        const { base, requests } = await serve(context, {
            'POST /s3': (body, nth) => (nth === 1 ? [503, '<Error><Code>SlowDown</Code></Error>'] : [204, '', { 'x-amz-version-id': 'v1' }]),
        });
        const { items: [item] } = await upload(new Uploader({ api: base, token: 't' }), [file('a.jpg')]);
        assert.equal(item.state, 'ready');
        assert.deepEqual([counts(requests, 'POST /uploads'), counts(requests, 'POST /s3')], [1, 2]);
    });

    test('an expired form is replaced', async context => {
        const { base, requests } = await serve(context, {
            'POST /s3': (body, nth) => (nth === 1 ? [403, '<Error><Code>AccessDenied</Code></Error>'] : [204, '', { 'x-amz-version-id': 'v1' }]),
        });
        await upload(new Uploader({ api: base, token: 't' }), [file('a.jpg')]);
        assert.equal(counts(requests, 'POST /uploads'), 2);
    });

    test('a form that S3 denies twice fails', async context => {
        const { base, requests } = await serve(context, { 'POST /s3': () => [403, '<Error><Code>AccessDenied</Code></Error>'] });
        const { items: [item] } = await upload(new Uploader({ api: base, token: 't' }), [file('a.jpg')]);
        assert.deepEqual([item.state, item.error.code, counts(requests, 'POST /s3')], ['failed', 'AccessDenied', 2]);
    });

    test('a token that is refused is renewed once', async context => {
        const { base, requests } = await serve(context, {
            'POST /uploads': (body, nth) => [401, { code: 'bad-token', detail: `refused ${nth}` }],
        });
        const token = (key, { renew }) => ({ token: renew ? 'new' : 'old', api: base });
        const { items: [item] } = await upload(new Uploader({ token }), [file('a.jpg')]);
        assert.deepEqual(requests.map(each => each.token), ['Bearer old', 'Bearer new']);
        assert.deepEqual([item.state, item.error.code, item.error.detail], ['failed', 'bad-token', 'refused 2']);
    });

    test('what ingest refuses has a text and the reason', async context => {
        const refused = { state: 'refused', version: 'v1', code: 'type-not-allowed', reason: 'This is HTML' };
        const { base } = await serve(context, { 'GET /uploads/a.jpg': () => [200, refused] });
        const { items: [item] } = await upload(new Uploader({ api: base, token: 't' }), [file('a.jpg')]);
        assert.deepEqual([item.state, item.error.message, item.error.detail],
            ['refused', 'The file is not an image of a supported type.', 'This is HTML']);
    });

    test('the state of an earlier upload of the key is not taken for the new one', async context => {
        const { base, requests } = await serve(context, {
            'GET /uploads/a.jpg': (body, nth) => [[404, { code: 'not-ingested' }], [200, { state: 'ready', version: 'v0' }]][nth - 1]
                ?? [200, { state: 'held', version: 'v1', flagged: true }],
        });
        const { items: [item] } = await upload(new Uploader({ api: base, token: 't' }), [file('a.jpg')]);
        assert.deepEqual([item.state, counts(requests, 'GET /uploads/a.jpg')], ['held', 3]);
    });

    test('failed and cancelled uploads can be tried again', async context => {
        let broken = true;
        const { base } = await serve(context, {
            'POST /uploads': text => (broken ? [400, { code: 'bad-upload', field: 'size', detail: 'size: … a whole number from 1 to 50000000' }]
                : [201, { url: `${base}/s3`, fields: {}, status: '/uploads/x', expires_at: inAnHour() }]),
        });
        const uploader = new Uploader({ api: base, token: 't' });
        const { items: [item] } = await upload(uploader, [file('a.jpg')]);
        assert.equal(item.error.message, 'The file is empty or larger than 50\u00a0MB.');
        broken = false;
        const ended = new Promise(resolve => uploader.addEventListener('change', () => item.state === 'ready' && resolve()));
        uploader.retry(item);
        await ended;
        const [other] = uploader.add([file('b.jpg')]);
        uploader.cancel(other);
        assert.equal(other.state, 'cancelled');
        uploader.retry(other);
        assert.equal(other.state, 'waiting');
        await new Promise(resolve => uploader.addEventListener('change', () => other.state === 'ready' && resolve()));
    });

    test('uploads are reported with their time, and without their names', async context => {
        let reported;
        const arrived = new Promise(resolve => { reported = resolve; });
        const { base } = await serve(context, {
            'POST /uploads/report': text => { reported(JSON.parse(text)); return [202, {}]; },
            'GET /uploads/bad.jpg': () => [200, { state: 'refused', version: 'v1', code: 'damaged' }],
        });
        await upload(new Uploader({ api: base, token: 't' }), [file('a.jpg'), file('bad.jpg')]);
        const { uploads } = await arrived;
        const [stored, rejected] = uploads.sort((one, other) => other.outcome.localeCompare(one.outcome));
        assert.deepEqual([stored.outcome, typeof stored.ms], ['stored', 'number']);
        assert.deepEqual(rejected, { outcome: 'rejected', code: 'damaged' });
    });

    test('a time over the limit of the API is reported as the limit', async () => {
        const sent = [];
        const reporter = new Reporter({ report: (key, uploads) => sent.push([key, uploads]) });
        reporter.add('a.jpg', { outcome: 'stored', ms: 3_600_001 });
        reporter.add('b.jpg', { outcome: 'stored', ms: 1840 });
        reporter.add('c.jpg', { outcome: 'stored' });
        await reporter.flush();
        const uploads = [{ outcome: 'stored', ms: 3_600_000 }, { outcome: 'stored', ms: 1840 }, { outcome: 'stored' }];
        assert.deepEqual(sent, [['c.jpg', uploads]]);
    });

    test('errors of S3 and of API Gateway', () => {
        const late = errorOfS3({ status: 403, text: '<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>' });
        assert.deepEqual([late.code, late.message, late.detail, late.retryable],
            ['AccessDenied', 'The permission for this file has expired, or is for another file.', 'Policy expired.', true]);
        assert.equal(errorOfS3({ status: 400, text: '<Error><Code>EntityTooSmall</Code></Error>' }).retryable, false);
        const busy = errorOfApi({ status: 429, headers: new Headers({ 'retry-after': '7' }), document: { message: 'Too Many Requests' } });
        assert.deepEqual([busy.code, busy.retryable, busy.retryAfterS], ['too-many-uploads', true, 7]);
        assert.equal(new UploadError('damaged', { texts: { damaged: 'Das Bild ist beschädigt.' } }).message, 'Das Bild ist beschädigt.');
    });

    test('sizes and types', () => {
        assert.deepEqual([999, 1234, 50_000_000, 123_456_789].map(formatBytes), ['999 B', '1.2 kB', '50 MB', '123 MB'].map(size => size.replace(' ', '\u00a0')));
        assert.equal(mediaType('a.HEIC', ''), 'image/heic');
        assert.equal(mediaType('a', ''), 'application/octet-stream');
    });
});

const segment = (marker, content) => [0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 255, ...content];
const text = value => [...value].map(letter => letter.charCodeAt(0));
const exif = orientation => [...text('Exif\0\0'), ...text('II'), 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];

test('a JPEG is stripped of all but its pixels, profile and orientation', async () => {
    const jpeg = Uint8Array.from([
        0xff, 0xd8, ...segment(0xe0, text('JFIF\0')), ...segment(0xe1, exif(6)), ...segment(0xe1, text('http://ns.adobe.com/xap/1.0/\0GPS')),
        ...segment(0xe2, text('ICC_PROFILE\0profile')), ...segment(0xe2, text('MPF\0second')), ...segment(0xed, text('Photoshop 3.0')),
        ...segment(0xfe, text('comment')), ...segment(0xdb, [1, 2]), ...segment(0xda, [1, 2]), 1, 0xff, 0, 2, 0xff, 0xd0, 3,
        ...segment(0xda, [3, 4]), 5, 0xff, 0xd9, ...text('a second image with its EXIF'),
    ]);
    const stripped = new Uint8Array(await stripJpeg(jpeg).arrayBuffer());
    const expected = [
        0xff, 0xd8, ...segment(0xe0, text('JFIF\0')),
        ...segment(0xe1, [...text('Exif\0\0'), ...text('MM'), 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]),
        ...segment(0xe2, text('ICC_PROFILE\0profile')), ...segment(0xdb, [1, 2]), ...segment(0xda, [1, 2]), 1, 0xff, 0, 2, 0xff, 0xd0, 3,
        ...segment(0xda, [3, 4]), 5, 0xff, 0xd9,
    ];
    assert.deepEqual([...stripped], expected);
    for (const cut of [0, 1, 10, 60, jpeg.indexOf(0xda) + 3]) {
        assert.equal(stripJpeg(jpeg.subarray(0, cut)), null, `${cut} bytes`);
    }
});
