// By the contract of `@uppy/aws-s3`; with Uppy itself: tests/peers/frontends.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { darkroomUploads } from '../../../frontends/uppy.mjs';

const FILE = { name: 'a.jpg', type: 'image/jpeg', data: new Blob(['bytes'], { type: 'image/jpeg' }) };
const FORM = { url: 'https://uploads.example.com/', fields: { key: 'trips/a.jpg', policy: '…' }, key: 'trips/a.jpg', status: '/uploads/trips/a.jpg' };

async function serving(context, status, document) {
    const asked = [];
    const server = createServer(async (request, response) => {
        const body = Buffer.concat(await request.toArray());
        asked.push([request.method, request.url, request.headers.authorization, JSON.parse(body)]);
        response.writeHead(status).end(JSON.stringify(document));
    });
    await new Promise(ready => server.listen(0, '127.0.0.1', ready));
    context.after(() => server.close());
    return [`http://127.0.0.1:${server.address().port}`, asked];
}

const put = { method: 'PUT', key: 'trips/a.jpg', contentType: 'image/jpeg' };

test('a file is signed by a form for its very bytes', async context => {
    const [api, asked] = await serving(context, 201, FORM);
    const options = darkroomUploads({ api: api + '/', token: key => `token of ${key}`, keyOf: file => `trips/${file.name}` });
    assert.equal(options.generateObjectKey(FILE), 'trips/a.jpg');
    assert.deepEqual(await options.signRequest(put), { url: FORM.url, fields: FORM.fields });
    const sha256 = createHash('sha256').update('bytes').digest('hex');
    const body = { key: 'trips/a.jpg', type: 'image/jpeg', size: 5, sha256 };
    assert.deepEqual(asked, [['POST', '/uploads', 'Bearer token of trips/a.jpg', body]]);
    assert.deepEqual(await options.signRequest(put), { url: FORM.url, fields: FORM.fields }, 'a retry gets another form');
});

test('a refusal is an error with its detail', async context => {
    const [api] = await serving(context, 403, { title: 'Not granted', detail: 'The token is for other keys' });
    const options = darkroomUploads({ api, token: 't', keyOf: file => file.name });
    options.generateObjectKey(FILE);
    await assert.rejects(options.signRequest({ ...put, key: 'a.jpg' }), /The token is for other keys/);
});

test('nothing but whole files is signed', async () => {
    const options = darkroomUploads({ api: 'http://127.0.0.1:1', token: 't', keyOf: file => file.name });
    options.generateObjectKey(FILE);
    for (const request of [{ method: 'POST', key: 'a.jpg' }, { method: 'PUT', key: 'a.jpg', uploadId: 'u' }, { ...put, key: 'b.jpg' }]) {
        await assert.rejects(options.signRequest(request), /whole files/);
    }
    assert.equal(options.shouldUseMultipart, false);
});
