// The CloudFront Function of other services' URL languages (viewer request, cloudfront-js-2.0). Their parsers do not fit
// here: this one only says which dialect a URL is in, and leaves of the request what an answer may depend on, so that the
// cache holds as few as can be. `make edge` writes it into template.yaml, as it does its sister.

const INFERENCE = '${InferenceMode}';
// A host of a language's own, whose paths are the language's without our prefix.
const HOSTS = HOST_PAIRS;

// The dialect of a request, whose path begins with the language's prefix afterwards; undefined for none.
function dialectOf(request) {
    const host = header(request, 'host').toLowerCase().split(':')[0];
    const pair = HOSTS.split(',').find(one => one.split('=')[0] === host);
    if (pair) {
        request.uri = DIALECTS.find(one => one[0] === pair.split('=')[1])[1] + request.uri;
    }
    return DIALECTS.find(one => (request.uri + '/').startsWith(one[1] + '/'));
}

// Parameters that say nothing would only be further copies in the cache.
function dropUnread(request, names) {
    Object.keys(request.querystring).filter(name => !names.includes(name.split('.')[0])).forEach(name => {
        delete request.querystring[name];
    });
}

// A path of letters, digits, - . _ and / that no two URLs share: the CDN signs it for the function, which refuses paths of
// other characters, and invalidations refuse some. Any other character is .-XX, as in encoded keys. Its prefix stays.
const escaped = character => '%' + ('0' + character.charCodeAt(0).toString(16).toUpperCase()).slice(-2);

const spelled = text => text
    .replace(/[^A-Za-z0-9\/._-]/g, escaped)
    .replace(/\.-/g, '.%2D')
    .replace(/\/\./g, '/%2E')
    .replace(/\/(\/+)/g, (all, more) => '/' + more.replace(/\//g, '%2F'))
    .replace(/%/g, '.-');

// One percent-encoding of a path that no signature is over, so that its spellings share an entry of the cache: RFC 3986,
// 6.2.2. Of IIIF's paths (strict) the delimiters after the identifier are plain, and all else is escaped.
const normalised = (path, strict) => path.split('/').map((part, at) => part.replace(/%[\da-fA-F]{2}|[^%]/g, found => {
    const character = found[1] ? String.fromCharCode(parseInt(found.slice(1), 16)) : found;
    return /[\w.~-]/.test(character) || strict && at > 3 && /[,:^!]/.test(character) ? character
        : found[1] || strict ? escaped(character) : found;
})).join('/');

// What of Accept and Save-Data an answer depends on; for documents it is the type that is asked for by name.
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
        'cache-control': {value: 'public, max-age=60'}
    },
    body: JSON.stringify({
        type: 'urn:darkroom:problem:no-source', title: NO_SOURCE, status: 404, detail: NO_SOURCE, code: 'no-source'
    })
});

// A picture too large for the function's answer, under a name that only the function gives away.
function large(request) {
    if (!/\/_\/[\w-]{43}\.large$(?!\n)/.test(request.uri)) {
        return notServed();
    }
    request.uri = request.uri.slice(LARGE_PREFIX.length);
    request.querystring = {};
    return request;
}

async function handler(event) {
    const request = event.request;
    if (request.uri.startsWith(LARGE_PREFIX + '/')) {
        return large(request);
    }
    const dialect = dialectOf(request);
    if (!dialect) {
        return notServed();
    }
    // A preflight: the response headers policy adds what it asks for.
    if (request.method === 'OPTIONS') {
        return {statusCode: 204, headers: {allow: {value: 'GET, HEAD, OPTIONS'}}};
    }
    if (dialect[4]) {
        request.uri = normalised(request.uri.replace(/[^!-~]+/g, encodeURIComponent), dialect[4] > 1);
    }
    dropUnread(request, dialect[2]);
    const query = queryText(request);
    setHeader(request, 'language', dialect[0]);
    const url = (request.uri + (query && '?' + query)).replace(/[^!-~]+/g, encodeURIComponent);
    setHeader(request, 'url', url);
    setHeader(request, 'class', classOf(request));
    setHeader(request, 'host', dialect[3] && header(request, 'host'));
    setHeader(request, 'findings', '');
    request.uri = spelled(url);
    // Versions 2 and 3 of IIIF are invalidated by one wildcard.
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
        // One read, and a second only where there is none: an entry that is there and cannot be read fails the request.
        if (!generation && await store.exists('findings')) {
            throw new Error('findings');
        }
        setHeader(request, 'findings', generation || FIRST_GENERATION);
    }
    return request;
}
