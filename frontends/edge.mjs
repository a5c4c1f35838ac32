// Written by `make docs` from functions/edge and darkroom.plan, texts.js, kinds.js, request.js, plan.js. A test finds it stale.

// Texts: percent-encoding, lengths in bytes, and what of a client's text is told again.

const own = (object, name) => Object.prototype.hasOwnProperty.call(object || {}, name);

function decoded(text) {
    try {
        return decodeURIComponent(text.replace(/\+/g, ' '));
    } catch (error) {
        wrong('The query is not percent-encoded UTF-8');
    }
}

// Percent-encoded but for A-Z a-z 0-9 - _ . ! ~ * ' ( ), and of these too what matches `more`.
const escaped = (text, more) =>
    encodeURIComponent(text).replace(more, character => '%' + character.charCodeAt(0).toString(16).toUpperCase());

// The encoding of a percent-encoded text, in letters, digits, - . _ and / only (darkroom.plan.keys): .-C3A9 for %C3%A9.
const encoded = text =>
    text.replace(/\.-/g, '.%2D').replace(/~/g, '%7E').replace(/%([89AB].)/g, '$1').replace(/%/g, '.-');

const byteLength = escapes => escapes.replace(/%../g, '.').length;

function printable(text) {
    const plain = text.replace(/[^ -~]+/g, encodeURIComponent);
    return plain.length > 40 ? plain.slice(0, 40) + '...' : plain;
}

// Kinds of value: what a message asks for, and a reader that makes the canonical spelling of a text, or null.

const within = (pattern, text, low, high) => (pattern.test(text) && +text >= low && +text <= high ? String(+text) : null);

const integer = (text, low, high) => within(/^(0|-?[1-9]\d{0,9})$(?!\n)/, text, low, high);

const decimal = (text, low, high) => within(/^(0|[1-9]\d{0,4})(\.\d{1,2})?$(?!\n)/, text, low, high);

const oneOf = (words, text) => (words.includes(text) ? text : null);

const told = words => 'one of ' + words.join(', ');

const split = text => text.replace(/:/g, ',').split(',');

const joined = parts => (parts.includes(null) ? null : parts.join('-'));

const whole = (low, high, other) => [
    'a whole number from ' + low + ' to ' + high + (other ? ', or ' + other : ''),
    text => (text === other ? text : integer(text, low, high))
];

const fixed = (low, high, step) => [
    'a number from ' + low + ' to ' + high + ' in steps of ' + step,
    text => (Math.round(text * 100) % Math.round(step * 100) ? null : decimal(text, low, high))
];

const flag = () => ['0 or 1', text => integer(text, 0, 1)];

const choice = (words, synonyms) => [
    told(words),
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
    told(words) + ', or fp:x:y with x and y from 0 to 1',
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
    'name,position,opacity,scale: a configured name (a-z, 0-9), ' + told(words) + ', and two whole numbers from 1 to 100',
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
        const name = escaped(text, /[!'()*_]/g);
        return !text || byteLength(name) > high || /%([01]|2F|5C|22|7F)/.test(name) ? null : encoded(name);
    }
];

const word = (pattern, expects) => [expects, text => (new RegExp('^(' + pattern + ')$(?!\\n)').test(text) ? text : null)];

// The tables of darkroom.plan. `unset` is the spelling of an option that is not given, undefined where it has none.

const option = (short, long, kind, unset) => ({
    short: short, long: long, expects: kind[0], read: kind[1], unset: unset
});

const COMPASS = ['center','north','northeast','east','southeast','south','southwest','west','northwest'];
const OPTIONS = [option('w','width',whole(1,8192)),option('h','height',whole(1,8192)),option('dpr','pixel-ratio',fixed(1,4,0.5)),option('up','upscale',flag(),'0'),option('fit',0,choice(['contain','cover','fill','letterbox']),'contain'),option('g','gravity',gravity(COMPASS.concat(['attention','entropy','face'])),'center'),option('crop',0,crop(65535)),option('rot','rotate',choice(['0','90','180','270']),'0'),option('flip',0,choice(['none','h','v','hv']),'none'),option('trim',0,whole(0,100),'0'),option('pad','padding',padding(2048),'0-0-0-0'),option('bg','background',colour(),''),option('radius',0,whole(0,4096),'0'),option('blur',0,fixed(0,100,0.01),'0'),option('sharp','sharpen',fixed(0,10,0.01),'0'),option('denoise',0,whole(0,10),'0'),option('equalise',0,flag(),'0'),option('bri','brightness',whole(-100,100),'0'),option('con','contrast',whole(-100,100),'0'),option('sat','saturation',whole(-100,100),'0'),option('gam','gamma',fixed(0.1,5,0.01),'1'),option('gray','grayscale',flag(),'0'),option('wm','watermark',watermark(COMPASS,'southeast',100,25)),option('redact',0,choice(['faces','text','all']),''),option('f','format',choice(['auto','jpeg','png','webp','avif','gif','json','thumbhash'],{jpg:'jpeg'}),'auto'),option('q','quality',whole(1,100,'auto')),option('anim','animate',flag(),'1'),option('page',0,whole(0,9999),'0'),option('preset',0,word('[a-z0-9][a-z0-9-]{0,31}','the name of a preset (a-z, 0-9 and -)')),option('dl','download',fileName(64),''),option('exp','expires',whole(1,9999999999)),option('s','signature',word('[A-Za-z0-9_-]{43}','43 characters of base64url'))];
const PRESETS = {w320:{w:'320',f:'webp'},w640:{w:'640',f:'webp'},w960:{w:'960',f:'webp'},w1280:{w:'1280',f:'webp'},w1920:{w:'1920',f:'webp'},cover:{w:'256',h:'256',fit:'cover',g:'attention',f:'webp'},social:{w:'1200',h:'630',fit:'cover',g:'attention',f:'jpeg'}};
const ERRORS = {'bad-key':[400,'The path is not a valid image key'],'bad-option':[400,'An option has a value that is not allowed'],'unknown-option':[400,'No such option'],'duplicate-option':[400,'An option was given twice'],unsigned:[403,'This variant needs a signature'],expired:[403,'This link has expired'],'method-not-allowed':[405,'Only GET and HEAD are allowed'],internal:[500,'Something went wrong on our side']};
const LADDER = [320,480,640,800,960,1280,1536,1920,2560,3840];
const CLASSES = [['auto-legacy',['image/jpeg','image/png','image/*','*/*']],['auto-webp',['image/webp']],['auto-avif',['image/avif']]];

// What a viewer asks for: the key, the options, and their mistakes.

// Keys: the percent-encoding of the key that a path names.
function readKey(uri) {
    let key;
    try {
        key = escaped(decodeURIComponent(uri.slice(1)), /[!'()*]/g).replace(/%2F/g, '/');
    } catch (error) {
        refuse('bad-key', 'The path is not percent-encoded UTF-8');
    }
    const has = segment => ('/' + key + '/').includes('/' + segment + '/');
    const fault = !key ? 'The path names no image'
        : byteLength(key) > 700 ? 'The key is longer than 700 bytes'
        : encoded(key).length > 867
            ? 'The key takes ' + encoded(key).length + ' bytes once encoded; at most 867 are allowed'
        : /%[01]|%7F/.test(key) ? 'The key holds a control character'
        : has('') || has('.') || has('..') ? 'The key has an empty segment, or one that is . or ..'
        : has('_') ? '/_/ is reserved and may not appear in a key'
        : '';
    if (fault) {
        refuse('bad-key', fault);
    }
    return key;
}

// The start of the canonical path, from the encoding of the key to the separator.
const startOf = key => '/' + encoded(key) + '/_/';

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
    unknown.sort().forEach(name => refuse('unknown-option', "There is no option '" + name + "'", name));
    repeated.sort().forEach(name => refuse('duplicate-option', name + ' was given twice', name));
    const values = {};
    OPTIONS.filter(one => own(given, one.short)).forEach(one => {
        values[one.short] = readValue(one, given[one.short]);
    });
    return values.preset ? Object.assign({}, presetValues(values.preset), values) : values;
}

function presetValues(name) {
    if (!own(PRESETS, name)) {
        wrong("preset: there is no preset '" + name + "'; there are " + Object.keys(PRESETS).join(', '), 'preset');
    }
    return PRESETS[name];
}

function readValue(known, text) {
    const spelling = known.read(text);
    if (spelling === null) {
        wrong(known.short + ' must be ' + known.expects + ", but is '" + printable(text) + "'", known.short);
    }
    return spelling;
}

// The plan of a request, and the variant of it that one viewer gets.

const scaled = (length, ratio) => String(Math.min(8192, Math.floor(length * ratio + 0.5)));

const scale = (plan, ratio) => ['w', 'h'].forEach(side => {
    if (plan[side]) {
        plan[side] = scaled(plan[side], ratio);
    }
});

// The normal form: darkroom.plan.normal, step by step.
function planOf(values) {
    const plan = {};
    OPTIONS.forEach(one => {
        const value = values[one.short];
        if (!['dpr','preset','exp','s'].includes(one.short) && value !== undefined && value !== one.unset) {
            plan[one.short] = value;
        }
    });
    if (['json','thumbhash'].includes(plan.f)) {
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
    if (plan.crop === 'pct-0-0-100-100') {
        delete plan.crop;
    }
    turnOnce(plan);
    if (['gif','png'].includes(plan.f)) {
        delete plan.q;
    }
    if (plan.page || plan.redact || (plan.f && !['auto','gif','webp'].includes(plan.f))) {
        delete plan.anim;
    }
    if (!Object.keys(plan).length) {
        plan.w = plan.h = '2560';
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

const optionsText = plan =>
    Object.keys(plan).filter(name => name !== 'f').sort().map(name => name + '-' + plan[name]).join('_') || 'full';

// What a canonical request may hold besides its start; the longest encoding of a key leaves something.
function checkLength(start, plan) {
    const room = Math.min(267, 971 - start.length);
    if (optionsText(plan).length > room) {
        wrong('The options are longer than ' + room + ' characters together');
    }
}

const lastPart = plan => optionsText(plan) + '.' + plan.f;

const isLadder = plan => Object.keys(plan).length === 2 && LADDER.includes(+plan.w);

// The cost guard: what anyone may ask for in guarded mode.
const isUnsigned = plan => isLadder(plan) || ['fit-cover_g-attention_h-256_w-256.webp','fit-cover_g-attention_h-630_w-1200.jpeg','full.json','full.thumbhash','h-2560_w-2560.auto'].includes(lastPart(plan));

// Negotiation

const saving = plan =>
    (plan.f === 'auto' && (!plan.q || plan.q === 'auto') ? Object.assign({}, plan, {q: '50'}) : plan);

function atRatio(plan, ratio) {
    const variant = Object.assign({}, plan);
    if (isLadder(plan)) {
        const wanted = +scaled(plan.w, ratio);
        variant.w = String(LADDER.find(width => width >= wanted) || LADDER[LADDER.length - 1]);
    } else if (optionsText(plan) !== 'h-2560_w-2560') {
        scale(variant, ratio);
    }
    return variant;
}

const hintedRatio = hint =>
    (/^\d{1,3}(\.\d{1,16})?$(?!\n)/.test(hint) ? Math.min(4, Math.max(1, Math.ceil(hint * 2) / 2)) : 1);

/** A URL that Darkroom refuses: `code` and `option` are those of its answer. */
export class Refusal extends Error {
    constructor(code, detail, option) {
        super(detail || code);
        this.code = code;
        this.option = option;
    }
}

function refuse(code, detail, option) {
    throw new Refusal(code, detail, option);
}

function wrong(detail, option) {
    refuse('bad-option', detail, option);
}

export { checkLength, isUnsigned, lastPart, planOf, readKey, readValues, startOf, wrong };
