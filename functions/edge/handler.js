// The CloudFront Function of the distribution (viewer request, cloudfront-js-2.0): converts a native URL to the canonical
// path that names the derivative, or refuses it. It repeats darkroom.plan from parse_url to negotiation; a table of cases
// (tests/cases/urls.json) and a fuzz test compare the two.
//
// `make edge` inserts the tables, minifies it and writes it into template.yaml. It must stay below 10,240 bytes and
// within the documented language: ES 5.1, const and let, arrow functions (tests/unit/edge/language.py); `handler` alone is
// async and holds no other function. No template literals: CloudFormation's Sub would read those of accept.js and headers.js,
// which are also part of the function for dialects. Nothing may depend on the length of a text that can hold
// more than ASCII, because engines disagree on it. Regular expressions are read as Perl's, where $ also stands before a
// line break at the end. A constant may be read only below the line that declares it, inside functions too.
//
// The engine evaluates the whole script with each invocation, so the top level only declares. What a deployment configures,
// and the texts of refusals, are in its KeyValueStore (darkroom_pipeline.plan.edge_settings). Only `handler` may wait, so
// all other code consists of steps: each returns the entry to read next, and sets `next` to the step that uses its value.
// The last step is at the top.
//
// Where nothing but presets is stored, the function is the first origin of all other images, and the store the second one
// for those that are too large for a response. build.py removes that from distributions without failover of origins.
//
// A plan is an object of canonical spellings by short name; the format f is always there: {f: 'auto', w: '800'}.

// Without `generation` the variant does not depend on findings.
const place = (asked, generation) => {
    if (generation != null) {
        asked.variant.fv = generation || FIRST_GENERATION;
    }
    asked.viewer.uri += lastPart(asked.variant);
    const first = !asked.values.preset && asked.settings[3] === FUNCTION_FIRST;
    setHeader(asked.viewer, 'first', first && '1');
    if (first) {
        cf.createRequestOriginGroup({
            originIds: [{originId: 'transform'}, {originId: 'derivatives'}],
            failoverCriteria: {statusCodes: [TOO_LARGE]}
        });
    }
};

const written = (asked, query) => (asked.viewer.uri + (query && '?' + query)).replace(/[^!-~]+/g, percentEncode);

const write = asked => {
    const request = asked.viewer;
    const variant = asked.variant;
    setHeader(request, 'request', asked.start + asked.text);
    setHeader(request, 'signature', asked.values.s);
    setHeader(request, 'expires', asked.values.exp);
    setHeader(request, 'url', written(asked, asked.query));
    request.uri = asked.start;
    // Neither part of the cache key nor forwarded. It is in the access log, and VaryFunction reads it.
    request.querystring = asked.marks;
    if (variant.f === 'auto') {
        variant.f = formatClass(header(request, 'accept'));
    }
    if (asked.hidden) {
        variant.redact = asked.hidden;
        delete variant.anim;
    }
    if (asked.mark) {
        variant.wm = asked.mark;
    }
    if ((asked.values.meta || asked.settings[2]) === 'rights' && !isData(variant.f)) {
        variant.cr = 1;
    }
    asked.next = place;
    return variant.redact || variant.boxes || variant.cutout || FOLLOWING.test(variant.g) ? 'findings' : place(asked);
};

const enlarge = (asked, text) => {
    if (text) {
        asked.variant = asked.larger;
    }
    return write(asked);
};

// Returns the entry that shows whether a plan needs no signature, '' if that is known without one: guarded mode serves
// widths of the ladder, data and bare requests, apart from presets. `text` is the plan's last part. Presets are shorter
// than the part of a text that is looked up, as the store refuses long names.
const unsignedEntry = (asked, plan, text) =>
    asked.values.s || asked.settings[0] === 'open' && !plan.ov && plan.up !== 'ai' && !isUnmarked(plan) ? ''
        : !has(['guarded', 'open'], asked.settings[0]) ? refuse('unsigned', 0, 403)
        : isLadder(plan) || (isData(plan.f) ? !keysOf(plan)[1] : text === BARE_TEXT + 'auto') ? ''
        : 'unsigned-' + text.slice(0, 99);

// Returns the variant of a request for this viewer.
const vary = asked => {
    const request = asked.viewer;
    const plan = asked.variant;
    const isSaving = header(request, 'save-data').toLowerCase() === 'on';
    const hint = isSaving || asked.values.dpr ? 0 : clientHint(request, 'dpr');
    if (isSaving && plan.f === 'auto' && (!plan.q || plan.q === 'auto')) {
        plan.q = SAVING_QUALITY;
    }
    if (hint > 1 && /^\d{1,3}(\.\d{1,16})?$(?!\n)/.test(hint)) {
        asked.larger = atRatio(plan, asked.text, Math.min(4, Math.ceil(hint * 2) / 2));
        asked.next = enlarge;
        return unsignedEntry(asked, asked.larger, lastPart(asked.larger)) || enlarge(asked, 1);
    }
    return write(asked);
};

// Admits a request for a private image. Without the entry of the keys it fails.
const admit = (asked, text) => {
    const unsigned = asked.query.split('&').filter(pair => !/^s(ignature)?=/.test(pair)).join('&');
    const texts = [asked.start + asked.text + '?exp=' + asked.values.exp, written(asked, unsigned)];
    if (!isSigned(JSON.parse(text), texts, asked.values.s)) {
        refuse('bad-signature', 0, 403);
    }
    return vary(asked);
};

const guard = (asked, text) => text ? vary(asked) : refuse('unsigned.set', 0, 403);

const decide = asked => {
    const values = asked.values;
    const plan = planOf(values);
    const text = lastPart(plan);
    asked.variant = plan;
    asked.text = text;
    // The length left for options of a canonical request; it is above 0 for the longest key.
    const room = Math.min(MAX_OPTIONS_BYTES, MAX_REQUEST_BYTES - asked.start.length);
    asked.mark = markOf(asked.settings[1], asked.key, plan);
    const longest = asked.mark ? lastPart(Object.assign({}, plan, {wm: asked.mark})) : text;
    if (longest.length - plan.f.length > room + 1) {
        refuse('bad-option.long', room);
    }
    asked.hidden = redactionOf(asked.settings[1], asked.key, plan);
    // Only the first page is analysed.
    if (plan.page && (asked.hidden || plan.boxes || plan.cutout)) {
        refuse('bad-option.pages');
    }
    if (values.exp <= Date.now() / 1000) {
        refuse('expired', 0, 403);
    }
    if (isPrivate(asked.settings[4], asked.key)) {
        asked.settings[0] = '';
        asked.next = admit;
        return unsignedEntry(asked) || values.exp && KEYS || refuse('unsigned.end', 0, 403);
    }
    asked.next = guard;
    const entry = unsignedEntry(asked, plan, text);
    return !asked.isAllowed && entry || vary(asked);
};

// Without published settings the presets of the build apply.
const choosePreset = (asked, text) => {
    const values = asked.values;
    const preset = text ? JSON.parse(text) : asked.isFresh && FALLBACK['_' + values.preset];
    if (!preset) {
        refuse('bad-option.name', values.preset);
    }
    // A preset without other options is in the unsigned set.
    asked.isAllowed = !keysOf(values)[1];
    asked.values = Object.assign(preset, values);
    return decide(asked);
};

const configure = (asked, text) => {
    asked.isFresh = !text;
    asked.settings = (text || DEFAULT_SETTINGS).split(' ');
    asked.next = choosePreset;
    return asked.values.preset ? 'preset-' + asked.values.preset : decide(asked);
};

// Replaces the experiment in the query by the preset of the visitor (darkroom.plan.experiments): the first one without a
// valid identifier. A name without an entry stays, and is a wrong value of `exp`. Then replaces `w=auto` by the width of
// the ladder that the browser's hint is rounded up to; hints are in pixels of the screen, so no ratio applies to them.
const assign = (asked, text) => {
    const request = asked.viewer;
    const query = request.querystring;
    if (text) {
        const given = query.exp;
        const parts = text.split(' ');
        const visitor = (request[parts[1]][parts[0]] || {value: ''}).value;
        const hash = VISITOR.test(visitor) && visitor.split('').reduce((value, character) =>
            (value + character.charCodeAt(0)) * parts[2] % HASH_MODULUS, 0);
        asked.marks.exp = given;
        asked.query = asked.query.replace('exp=' + given.value,
            'preset=' + parts[parts.findIndex((end, at) => at % 2 && hash < end) + 1]);
    }
    if (query.w && query.w.value === 'auto') {
        asked.marks.w = query.w;
        asked.query = asked.query.replace('w=auto', 'dpr=1&w=' + ladderWidth(clientHint(request, 'width') || USUAL_WIDTH));
    }
    asked.values = readValues(asked.query);
    asked.next = configure;
    return 'settings';
};

const read = asked => {
    const request = asked.viewer;
    const given = request.querystring.exp;
    if (!has('GET HEAD OPTIONS', request.method)) {
        refuse('method-not-allowed', 0, 405);
    }
    // Beacons are read in the access log. Preflight requests get their CORS headers from the response headers policy.
    if (request.uri === BEACON || request.method === 'OPTIONS') {
        asked.viewer = {statusCode: 204};
        return '';
    }
    // As written, in the order that literal signatures cover.
    asked.query = request.rawQueryString() || '';
    asked.key = readKey(request.uri);
    asked.start = '/' + encoded(asked.key) + '/_/';
    asked.next = assign;
    // Experiments have names, expiry times are numbers.
    return given && !+given.value && isName(given.value) ? 'exp-' + given.value : assign(asked);
};

// Returns a refusal: problem details (RFC 9457) like those of the transform function. A store without the text has no
// published settings.
const answer = (asked, text) => {
    const refusal = asked.refusal;
    const status = refusal[2];
    const code = refusal[0].split('.')[0];
    asked.viewer = {
        statusCode: status,
        headers: {
            'content-type': {value: 'application/problem+json'},
            'cache-control': {value: status > 400 ? 'no-store' : 'public, max-age=60'},
            'x-darkroom-error': {value: code}
        },
        body: asked.viewer.method === 'HEAD' ? '' : text
            ? text.split('%s').join(JSON.stringify('' + refusal[1]).slice(1, -1))
            : JSON.stringify({code: code, detail: refusal.join(' ')})
    };
};

const proceed = (asked, text) => {
    try {
        return asked.next(asked, text);
    } catch (error) {
        if (error[0]) {
            asked.refusal = error;
        }
        asked.next = answer;
        return 'refusal-' + asked.refusal[0];
    }
};

async function handler(event) {
    const asked = {viewer: event.request, next: read, marks: {}, refusal: ['internal', 0, 500]};
    try {
        const store = cf.kvs();
        let entry = proceed(asked);
        while (entry) {
            let text = '';
            try {
                text = await store.get(entry);
            } catch (error) {}
            // An unreadable entry fails the request: defaults could show what must be hidden.
            if (!text && await store.exists(entry)) {
                refuse();
            }
            entry = proceed(asked, text);
        }
    } catch (error) {
        answer(asked);
    }
    return asked.viewer;
}
