// The CloudFront Function of the distribution (viewer request, cloudfront-js-2.0): a friendly URL becomes the one
// canonical path that names the derivative, or a refusal. It is the twin of darkroom.plan, from parse_url to the
// negotiation; one table of cases (tests/cases/urls.json) and a fuzz test hold the two together.
//
// `make edge` puts the tables in, makes it small and writes it into template.yaml. It must stay below 10,240 bytes and
// within what the engine documents: ES 5.1, const and let, arrow functions (tests/edge/language.py). No template
// literals: CloudFormation's Sub would read them. Nothing may depend on the length of a text that can hold more than
// ASCII, because engines do not agree on it. The engine's regular expressions are Perl's, where $ also stands before a
// line break at the end.
//
// A plan is an object of canonical spellings by short name; the format f is always there: {f: 'auto', w: '800'}.

const MODE = '${AccessMode}';

// Kinds of value: what a message asks for, and a reader that makes the canonical spelling of a text, or null.

const whole = (low, high) => ['a whole number from ' + low + ' to ' + high, text => integer(text, low, high)];

const fixed = (low, high, step) => [
    'a number from ' + low + ' to ' + high + ' in steps of ' + step,
    text => (Math.round(text * 100) % Math.round(step * 100) ? null : decimal(text, low, high))
];

const flag = () => ['0 or 1', text => integer(text, 0, 1)];

const choice = (words, synonyms) => [
    'one of ' + words.join(', '),
    text => oneOf(words, own(synonyms, text) ? synonyms[text] : text)
];

const colour = () => [
    'a colour of 3, 4, 6 or 8 hex digits, such as ff8800',
    text => {
        const digits = text.toLowerCase();
        return /^([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$(?!\n)/.test(digits)
            ? (digits.length < 6 ? digits.replace(/./g, '$&$&') : digits).replace(/^(.{6})ff$(?!\n)/, '$1')
            : null;
    }
];

const gravity = words => [
    'one of ' + words.join(', ') + ', or fp:x:y with x and y from 0 to 1',
    text => {
        const parts = split(text);
        return parts[0] === 'fp' && parts.length === 3
            ? joined(['fp', decimal(parts[1], 0, 1), decimal(parts[2], 0, 1)])
            : oneOf(words, text);
    }
];

const crop = high => [
    'x,y,w,h in pixels up to ' + high + ', or pct:x,y,w,h in percent with x+w and y+h up to 100',
    text => {
        const parts = split(text);
        if (parts[0] === 'pct' && parts.length === 5) {
            const sides = parts.slice(1).map(part => decimal(part, 0, 100));
            const fits = at => sides[at + 2] > 0 && Math.round(sides[at] * 100 + sides[at + 2] * 100) <= 10000;
            return fits(0) && fits(1) ? joined(['pct'].concat(sides)) : null;
        }
        return parts.length === 4 ? joined(parts.map((part, at) => integer(part, at < 2 ? 0 : 1, high))) : null;
    }
];

const padding = high => [
    '1, 2 or 4 whole numbers (t,r,b,l) from 0 to ' + high,
    text => {
        const sides = split(text).map(part => integer(part, 0, high));
        return [1, 2, 4].includes(sides.length) ? joined(sides.concat(sides, sides, sides).slice(0, 4)) : null;
    }
];

const watermark = (words, position, opacity, size) => [
    'name,position,opacity,scale: a configured name (a-z, 0-9), one of ' + words.join(', ')
        + ', and two whole numbers from 1 to 100',
    text => {
        const parts = split(text);
        const all = parts.concat([position, opacity, size].slice(parts.length - 1));
        return /^[a-z0-9]{1,32}$(?!\n)/.test(parts[0]) && parts.length < 5
            ? joined([parts[0], oneOf(words, all[1]), integer(all[2], 1, 100), integer(all[3], 1, 100)])
            : null;
    }
];

const fileName = high => [
    'a file name of at most ' + high + ' bytes without / \\ " or control characters',
    text => {
        const name = escaped(text, /[!'()*_~]/g);
        return !text || byteLength(name) > high || /%([01]|2F|5C|22|7F)/.test(name) ? null : name.replace(/%/g, '~');
    }
];

const word = (pattern, expects) => [expects, text => (new RegExp('^(' + pattern + ')$(?!\\n)').test(text) ? text : null)];

const reserved = why => [why];

const integer = (text, low, high) => within(/^(0|-?[1-9]\d{0,9})$(?!\n)/, text, low, high);

const decimal = (text, low, high) => within(/^(0|[1-9]\d{0,4})(\.\d{1,2})?$(?!\n)/, text, low, high);

const within = (pattern, text, low, high) => (pattern.test(text) && +text >= low && +text <= high ? String(+text) : null);

const oneOf = (words, text) => (words.includes(text) ? text : null);

const split = text => text.replace(/:/g, ',').split(',');

const joined = parts => (parts.includes(null) ? null : parts.join('~'));

// The tables of darkroom.plan. `unset` is the spelling of an option that is not given, undefined where it has none.

const option = (short, long, kind, unset, refused) => ({
    short: short, long: long, expects: kind[0], read: kind[1], unset: unset, refused: refused
});

/* tables */

// The decision

function handler(event) {
    const request = event.request;
    try {
        return rewritten(request);
    } catch (error) {
        return problem(own(ERRORS, error.code) ? error : {code: 'internal'}, request.method);
    }
}

function rewritten(request) {
    if (!['GET', 'HEAD'].includes(request.method)) {
        refuse('method-not-allowed');
    }
    const query = queryText(request);
    const start = readKey(request.uri);
    const values = readValues(query);
    const plan = planOf(values);
    if (optionsText(plan).length > MAX_OPTIONS_BYTES) {
        refuse('bad-option', 'The options are longer than ' + MAX_OPTIONS_BYTES + ' characters together');
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
    setHeader(request, 'request', start + lastPart(plan, plan.f));
    setHeader(request, 'signature', values.s);
    setHeader(request, 'expires', values.exp);
    setHeader(request, 'url', (request.uri + (query && '?' + query)).replace(/[^!-~]+/g, encodeURIComponent));
    request.uri = start + lastPart(variant, plan.f === 'auto' ? formatClass(header(request, 'accept')) : plan.f);
    request.querystring = {};
    return request;
}

// Requests

function header(request, name) {
    const given = request.headers[name];
    return given ? valuesOf(given).join(',') : '';
}

const valuesOf = given => (given.multiValue || [given]).map(one => one.value);

// Each of these headers is set or deleted on every request, so that no viewer can send one.
function setHeader(request, name, value) {
    delete request.headers['x-darkroom-' + name];
    if (value) {
        request.headers['x-darkroom-' + name] = {value: value};
    }
}

// As the viewer wrote it, but for the order: the engine hands on names and values percent-encoded.
function queryText(request) {
    const pairs = [];
    Object.keys(request.querystring).forEach(name => {
        valuesOf(request.querystring[name]).forEach(value => pairs.push(name + '=' + value));
    });
    return pairs.join('&');
}

// Keys: the start of the canonical path, from the key's one spelling to the separator.
function readKey(uri) {
    let key;
    try {
        key = escaped(decodeURIComponent(uri.slice(1)), /[!'()*]/g).replace(/%2F/g, '/');
    } catch (error) {
        refuse('bad-key', 'The path is not percent-encoded UTF-8');
    }
    const has = segment => ('/' + key + '/').includes('/' + segment + '/');
    const fault = !key ? 'The path names no image'
        : byteLength(key) > MAX_KEY_BYTES ? 'The key is longer than ' + MAX_KEY_BYTES + ' bytes'
        : /%[01]|%7F/.test(key) ? 'The key holds a control character'
        : has('') || has('.') || has('..') ? 'The key has an empty segment, or one that is . or ..'
        : has('_') ? '/_/ is reserved and may not appear in a key'
        : '';
    if (fault) {
        refuse('bad-key', fault);
    }
    return '/' + key + '/_/';
}

// Queries: canonical spellings by short name. Of several mistakes the same one is told whatever their order.
function readValues(query) {
    const given = {};
    const unknown = [];
    const repeated = [];
    query.split('&').filter(pair => pair).forEach(pair => {
        const cut = (pair + '=').indexOf('=');
        const name = decoded(pair.slice(0, cut));
        const text = decoded(pair.slice(cut + 1));
        const known = OPTIONS.find(one => one.short === name || one.long === name);
        if (!known) {
            unknown.push(printable(name));
        } else if (own(given, known.short)) {
            repeated.push(known.short);
        } else {
            given[known.short] = text;
        }
    });
    if (unknown.length) {
        const name = unknown.sort()[0];
        refuse('unknown-option', "There is no option '" + name + "'", name);
    }
    if (repeated.length) {
        const name = repeated.sort()[0];
        refuse('duplicate-option', name + ' was given twice', name);
    }
    const values = {};
    OPTIONS.filter(one => own(given, one.short)).forEach(one => {
        values[one.short] = readValue(one, given[one.short]);
    });
    return values.preset ? Object.assign({}, presetValues(values.preset), values) : values;
}

function presetValues(name) {
    if (!own(PRESETS, name)) {
        const names = Object.keys(PRESETS).join(', ');
        refuse('bad-option', "preset: there is no preset '" + name + "'; there are " + names, 'preset');
    }
    return PRESETS[name];
}

function readValue(known, text) {
    const why = known.read ? own(known.refused, text) && known.refused[text] : known.expects;
    if (why) {
        refuse('not-available', known.short + '=' + printable(text) + ' is not available: ' + why, known.short);
    }
    const spelling = known.read(text);
    if (spelling === null) {
        const message = known.short + ' must be ' + known.expects + ", but is '" + printable(text) + "'";
        refuse('bad-option', message, known.short);
    }
    return spelling;
}

// The normal form: darkroom.plan.normal, step by step.
function planOf(values) {
    const plan = {};
    OPTIONS.forEach(one => {
        const value = values[one.short];
        if (!APART.includes(one.short) && value !== undefined && value !== one.unset) {
            plan[one.short] = value;
        }
    });
    if (DATA_FORMATS.includes(plan.f)) {
        return plan.page ? {f: plan.f, page: plan.page} : {f: plan.f};
    }
    scale(plan, values.dpr || 1);
    if (!plan.w || !plan.h) {
        delete plan.fit;
    }
    if (!plan.w && !plan.h) {
        delete plan.up;
    }
    if (plan.fit !== 'cover') {
        delete plan.g;
    }
    if (plan.crop === 'pct~0~0~100~100') {
        delete plan.crop;
    }
    turnOnce(plan);
    if (LOSSLESS_FORMATS.includes(plan.f)) {
        delete plan.q;
    }
    if (plan.page || (plan.f && !ANIMATED_FORMATS.includes(plan.f))) {
        delete plan.anim;
    }
    if (!Object.keys(plan).length) {
        plan.w = plan.h = BARE_SIDE;
    }
    plan.f = plan.f || 'auto';
    return plan;
}

// A mirror from top to bottom is half a turn and one from left to right.
function turnOnce(plan) {
    const flip = plan.flip;
    const degrees = (+(plan.rot || 0) + (flip === 'v' || flip === 'hv' ? 180 : 0)) % 360;
    delete plan.flip;
    delete plan.rot;
    if (flip === 'h' || flip === 'v') {
        plan.flip = 'h';
    }
    if (degrees) {
        plan.rot = String(degrees);
    }
}

function scale(plan, ratio) {
    ['w', 'h'].forEach(side => {
        if (plan[side]) {
            plan[side] = scaled(plan[side], ratio);
        }
    });
}

const scaled = (length, ratio) => String(Math.min(MAX_SIDE, Math.floor(length * ratio + 0.5)));

function optionsText(plan) {
    const names = Object.keys(plan).filter(name => name !== 'f').sort();
    return names.map(name => name + '-' + plan[name]).join('_') || 'full';
}

const lastPart = (plan, extension) => optionsText(plan) + '.' + extension;

// The cost guard: what anyone may ask for in guarded mode.
const isUnsigned = plan => isLadder(plan) || UNSIGNED.includes(lastPart(plan, plan.f));

const isLadder = plan => Object.keys(plan).length === 2 && LADDER.includes(+plan.w);

// Negotiation

function saving(plan) {
    return plan.f === 'auto' && !plan.q ? Object.assign({q: SAVING_QUALITY}, plan) : plan;
}

function atRatio(plan, ratio) {
    const variant = Object.assign({}, plan);
    if (isLadder(plan)) {
        const wanted = +scaled(plan.w, ratio);
        variant.w = String(LADDER.find(width => width >= wanted) || LADDER[LADDER.length - 1]);
    } else if (optionsText(plan) !== BARE_TEXT) {
        scale(variant, ratio);
    }
    return variant;
}

function hintedRatio(hint) {
    return /^\d{1,3}(\.\d{1,16})?$(?!\n)/.test(hint) ? Math.min(4, Math.max(1, Math.ceil(hint * 2) / 2)) : 1;
}

function formatClass(accept) {
    const weights = {};
    accept.toLowerCase().split(',').forEach(entry => {
        const parts = entry.split(';').map(part => part.replace(/^[ \t]+|[ \t]+$(?!\n)/g, ''));
        let weight = 1;
        parts.slice(1).forEach(part => {
            if (part.startsWith('q=')) {
                weight = /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$(?!\n)/.test(part) ? +part.slice(2) : 0;
            }
        });
        weights[parts[0]] = weight;
    });
    let best = CLASSES[0];
    let most = 0;
    CLASSES.forEach(one => one[1].forEach(type => {
        if (weights[type] > 0 && weights[type] >= most) {
            best = one;
            most = weights[type];
        }
    }));
    return best[0];
}

// Refusals: problem details of RFC 9457, as the function behind the CDN answers them.

function refuse(code, detail, name) {
    throw {code: code, detail: detail, option: name};
}

function problem(error, method) {
    const status = ERRORS[error.code][0];
    const title = ERRORS[error.code][1];
    const body = {
        type: 'urn:darkroom:problem:' + error.code,
        title: title,
        status: status,
        detail: error.detail || title,
        code: error.code
    };
    if (error.option) {
        body.option = error.option;
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

// Texts

function own(object, name) {
    return Object.prototype.hasOwnProperty.call(object || {}, name);
}

function decoded(text) {
    try {
        return decodeURIComponent(text.replace(/\+/g, ' '));
    } catch (error) {
        refuse('bad-option', 'The query is not percent-encoded UTF-8');
    }
}

// Percent-encoded but for A-Z a-z 0-9 - _ . ! ~ * ' ( ), and of these too what matches `more`.
const escaped = (text, more) =>
    encodeURIComponent(text).replace(more, character => '%' + character.charCodeAt(0).toString(16).toUpperCase());

const byteLength = encoded => encoded.replace(/%../g, '.').length;

function printable(text) {
    const plain = text.replace(/[^ -~]+/g, encodeURIComponent);
    return plain.length > 40 ? plain.slice(0, 40) + '...' : plain;
}
