// The CloudFront Function for URL dialects (viewer request, cloudfront-js-2.0). The parsers do not fit here: it only
// identifies the dialect, and removes from the request what the response does not depend on, so that the cache has few
// entries. `make edge` writes it into template.yaml.

const INFERENCE = '${InferenceMode}';
// Hosts whose paths are URLs of a dialect without the prefix.
const HOSTS = HOST_PAIRS;

// Returns the dialect of a request, or undefined. Afterwards the path begins with the prefix of the dialect.
function dialectOf(request) {
    const host = header(request, 'host').toLowerCase().split(':')[0];
    const pair = HOSTS.split(',').find(one => one.split('=')[0] === host);
    if (pair) {
        request.uri = DIALECTS.find(one => one[0] === pair.split('=')[1])[1] + request.uri;
    }
    return DIALECTS.find(one => (request.uri + '/').startsWith(one[1] + '/'));
}

// Returns the query as written, except the order: the engine keeps names and values percent-encoded.
const queryText = request => Object.keys(request.querystring).map(name =>
    valuesOf(request.querystring[name]).map(value => name + '=' + value).join('&')).join('&');

// Removes parameters that the parser ignores: they would only add cache entries.
function dropUnread(request, names) {
    Object.keys(request.querystring).filter(name => !names.includes(name.split('.')[0])).forEach(name => {
        delete request.querystring[name];
    });
}

// Encodes a URL as a unique path of letters, digits, - . _ and /: the signature for the function URL fails with other
// characters, and invalidations refuse some. Any other character is .-XX, as in encoded keys. The prefix is unchanged.
const escaped = character => '%' + ('0' + character.charCodeAt(0).toString(16).toUpperCase()).slice(-2);

const spelled = text => text
    .replace(/[^A-Za-z0-9\/._-]/g, escaped)
    .replace(/\.-/g, '.%2D')
    .replace(/\/\./g, '/%2E')
    .replace(/\/(\/+)/g, (all, more) => '/' + more.replace(/\//g, '%2F'))
    .replace(/%/g, '.-');

// Normalises the percent-encoding of unsigned paths (RFC 3986, 6.2.2), so that spellings share a cache entry. In IIIF
// paths (strict) delimiters after the identifier are plain, and everything else is escaped.
const normalised = (path, strict) => path.split('/').map((part, at) => part.replace(/%[\da-fA-F]{2}|[^%]/g, found => {
    const character = found[1] ? String.fromCharCode(parseInt(found.slice(1), 16)) : found;
    return /[\w.~-]/.test(character) || strict && at > 3 && /[,:^!]/.test(character) ? character
        : found[1] || strict ? escaped(character) : found;
})).join('/');

// Returns the class of Accept and Save-Data; for documents the media type that Accept names.
function classOf(request) {
    const accept = header(request, 'accept');
    if (request.uri.endsWith(DOCUMENT)) {
        return DOCUMENT_TYPES.find(type => accept.includes(type)) || '';
    }
    return formatClass(accept) + (header(request, 'save-data').toLowerCase() === 'on' ? ' save-data' : '');
}

const notServed = () => ({
    statusCode: 404,
    headers: {
        'content-type': {value: 'application/problem+json'},
        'cache-control': {value: 'public, max-age=60'},
        'x-darkroom-error': {value: 'no-source'}
    },
    body: JSON.stringify({
        type: 'urn:darkroom:problem:no-source', title: NO_SOURCE, status: 404, detail: NO_SOURCE, code: 'no-source'
    })
});

// Serves a copy of an image too large for a Lambda response, or the manifest of a small file. Names cannot be guessed.
function large(request) {
    if (!/\/_\/[\w-]{43}\.(large|c2pa)$(?!\n)/.test(request.uri)) {
        return notServed();
    }
    request.uri = request.uri.slice(LARGE_PREFIX.length);
    request.querystring = {};
    return request;
}

async function handler(event) {
    const request = event.request;
    // A preflight request: the response headers policy adds the CORS headers.
    if (request.method === 'OPTIONS') {
        return {statusCode: 204};
    }
    if (request.uri.startsWith(LARGE_PREFIX + '/')) {
        return large(request);
    }
    const dialect = dialectOf(request);
    if (!dialect) {
        return notServed();
    }
    if (dialect[4]) {
        request.uri = normalised(request.uri.replace(/[^!-~]+/g, encodeURIComponent), dialect[4] > 1);
    }
    let query = request.rawQueryString() || '';
    // Without a list of parameters, signatures are over the query as written.
    if (dialect[2]) {
        dropUnread(request, dialect[2]);
        query = queryText(request);
    }
    setHeader(request, 'language', dialect[0]);
    const url = (request.uri + (query && '?' + query)).replace(/[^!-~]+/g, encodeURIComponent);
    setHeader(request, 'url', url);
    setHeader(request, 'class', classOf(request));
    setHeader(request, 'host', dialect[3] && header(request, 'host'));
    setHeader(request, 'findings', '');
    request.uri = spelled(url);
    // One wildcard invalidates versions 2 and 3 of IIIF.
    if (request.uri.startsWith(IIIF_2 + '/')) {
        request.uri = IIIF + request.uri.slice(IIIF_2.length) + IIIF_2_SUFFIX;
    }
    request.querystring = {};
    if (INFERENCE !== 'off') {
        const store = cf.kvs();
        let generation = '';
        try {
            generation = await store.get('findings');
        } catch (error) {}
        // A second read only without an entry: an existing entry that cannot be read fails the request.
        if (!generation && await store.exists('findings')) {
            throw new Error('findings');
        }
        setHeader(request, 'findings', generation || FIRST_GENERATION);
    }
    return request;
}
