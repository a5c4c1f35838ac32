// The CloudFront Function of the distribution (viewer request, cloudfront-js-2.0): a friendly URL becomes the one
// canonical path that names the derivative, or a refusal. It is the twin of darkroom.plan, from parse_url to the
// negotiation; one table of cases (tests/cases/urls.json) and a fuzz test hold the two together.
//
// `make edge` puts the tables in, makes it small and writes it into template.yaml. It must stay below 10,240 bytes and
// within what the engine documents: ES 5.1, const and let, arrow functions (tests/unit/edge/language.py); `handler` alone is
// async and holds no other function. No template literals: CloudFormation's Sub would read them. Nothing may depend on the length of a text that can hold more than
// ASCII, because engines do not agree on it. Regular expressions are read as Perl's, where $ also stands before a line
// break at the end. A constant may be read only below the line that declares it, inside functions too.
//
// A plan is an object of canonical spellings by short name; the format f is always there: {f: 'auto', w: '800'}.

const MODE = '${AccessMode}';

// The decision

async function handler(event) {
    const request = event.request;
    try {
        const variant = negotiated(request);
        if (variant.redact || variant.g === 'face') {
            const store = cf.kvs();
            variant.fv = await store.exists('findings') ? await store.get('findings') : FIRST_GENERATION;
        }
        request.uri += lastPart(variant);
        return request;
    } catch (error) {
        return problem(own(ERRORS, error[0]) ? error : ['internal'], request.method);
    }
}

// The variant that this viewer gets of what was asked for; the request holds the start of its path.
function negotiated(request) {
    if (!['GET', 'HEAD'].includes(request.method)) {
        refuse('method-not-allowed');
    }
    const query = queryText(request);
    const key = readKey(request.uri);
    const start = startOf(key);
    const values = readValues(query);
    const plan = planOf(values);
    checkLength(start, plan);
    const redact = redactionOf(key, plan);
    if (redact && plan.page) {
        wrong('Only page 0 can be redacted', 'page');
    }
    if (values.exp <= Date.now() / 1000) {
        refuse('expired');
    }
    const isAllowed = wanted => values.s || MODE === 'open' || (MODE === 'guarded' && isUnsigned(wanted));
    if (!isAllowed(plan)) {
        refuse('unsigned', MODE === 'guarded' && UNSIGNED_HELP);
    }
    let variant = plan;
    if (header(request, 'save-data').toLowerCase() === 'on') {
        variant = saving(plan);
    } else if (!values.dpr) {
        const larger = atRatio(plan, hintedRatio(header(request, 'sec-ch-dpr') || header(request, 'dpr')));
        variant = isAllowed(larger) ? larger : plan;
    }
    setHeader(request, 'request', start + lastPart(plan));
    setHeader(request, 'signature', values.s);
    setHeader(request, 'expires', values.exp);
    setHeader(request, 'url', (request.uri + (query && '?' + query)).replace(/[^!-~]+/g, encodeURIComponent));
    request.uri = start;
    request.querystring = {};
    if (plan.f === 'auto') {
        variant.f = formatClass(header(request, 'accept'));
    }
    if (redact) {
        variant.redact = redact;
        delete variant.anim;
    }
    return variant;
}

// Refusals: problem details of RFC 9457, as the function behind the CDN answers them.

function refuse(code, detail, name) {
    throw [code, detail, name];
}

function wrong(detail, name) {
    refuse('bad-option', detail, name);
}

function problem(error, method) {
    const code = error[0];
    const status = ERRORS[code][0];
    const title = ERRORS[code][1];
    const body = {
        type: 'urn:darkroom:problem:' + code,
        title: title,
        status: status,
        detail: error[1] || title,
        code: code
    };
    if (error[2]) {
        body.option = error[2];
    }
    return {
        statusCode: status,
        headers: {
            'content-type': {value: 'application/problem+json'},
            'cache-control': {value: status === 400 ? 'public, max-age=60' : 'no-store'}
        },
        body: method === 'HEAD' ? '' : JSON.stringify(body)
    };
}
