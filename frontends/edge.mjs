// Written by `make docs` from functions/edge and darkroom.plan, texts.js, kinds.js, request.js, plan.js. A test finds it stale.

const ENTRIES = {
    "refusal-bad-option.w": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"w must be a whole number from 1 to 8192, but is '%s'\",\"code\":\"bad-option\",\"option\":\"w\"}",
    "refusal-bad-option.h": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"h must be a whole number from 1 to 8192, but is '%s'\",\"code\":\"bad-option\",\"option\":\"h\"}",
    "refusal-bad-option.dpr": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"dpr must be a number from 1 to 4 in steps of 0.5, but is '%s'\",\"code\":\"bad-option\",\"option\":\"dpr\"}",
    "refusal-bad-option.up": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"up must be 0, 1 or ai, but is '%s'\",\"code\":\"bad-option\",\"option\":\"up\"}",
    "refusal-bad-option.fit": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"fit must be one of contain, cover, fill, letterbox, but is '%s'\",\"code\":\"bad-option\",\"option\":\"fit\"}",
    "refusal-bad-option.g": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"g must be one of center, north, northeast, east, southeast, south, southwest, west, northwest, attention, entropy, face, text, obj:class, or fp:x:y with x and y from 0 to 1, but is '%s'\",\"code\":\"bad-option\",\"option\":\"g\"}",
    "refusal-bad-option.crop": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"crop must be x,y,w,h in pixels up to 65535, or pct:x,y,w,h in percent with x+w and y+h up to 100, but is '%s'\",\"code\":\"bad-option\",\"option\":\"crop\"}",
    "refusal-bad-option.rot": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"rot must be one of 0, 90, 180, 270, but is '%s'\",\"code\":\"bad-option\",\"option\":\"rot\"}",
    "refusal-bad-option.flip": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"flip must be one of none, h, v, hv, but is '%s'\",\"code\":\"bad-option\",\"option\":\"flip\"}",
    "refusal-bad-option.trim": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"trim must be a whole number from 0 to 100, but is '%s'\",\"code\":\"bad-option\",\"option\":\"trim\"}",
    "refusal-bad-option.pad": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"pad must be 1, 2 or 4 whole numbers (t,r,b,l) from 0 to 2048, but is '%s'\",\"code\":\"bad-option\",\"option\":\"pad\"}",
    "refusal-bad-option.bg": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"bg must be a colour of 3, 4, 6 or 8 hex digits, such as ff8800, but is '%s'\",\"code\":\"bad-option\",\"option\":\"bg\"}",
    "refusal-bad-option.radius": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"radius must be a whole number from 0 to 4096, but is '%s'\",\"code\":\"bad-option\",\"option\":\"radius\"}",
    "refusal-bad-option.blur": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"blur must be a number from 0 to 100 in steps of 0.01, but is '%s'\",\"code\":\"bad-option\",\"option\":\"blur\"}",
    "refusal-bad-option.sharp": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"sharp must be a number from 0 to 10 in steps of 0.01, but is '%s'\",\"code\":\"bad-option\",\"option\":\"sharp\"}",
    "refusal-bad-option.denoise": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"denoise must be a whole number from 0 to 10, but is '%s'\",\"code\":\"bad-option\",\"option\":\"denoise\"}",
    "refusal-bad-option.equalise": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"equalise must be 0 or 1, but is '%s'\",\"code\":\"bad-option\",\"option\":\"equalise\"}",
    "refusal-bad-option.bri": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"bri must be a whole number from -100 to 100, but is '%s'\",\"code\":\"bad-option\",\"option\":\"bri\"}",
    "refusal-bad-option.con": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"con must be a whole number from -100 to 100, but is '%s'\",\"code\":\"bad-option\",\"option\":\"con\"}",
    "refusal-bad-option.sat": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"sat must be a whole number from -100 to 100, but is '%s'\",\"code\":\"bad-option\",\"option\":\"sat\"}",
    "refusal-bad-option.gam": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"gam must be a number from 0.1 to 5 in steps of 0.01, but is '%s'\",\"code\":\"bad-option\",\"option\":\"gam\"}",
    "refusal-bad-option.gray": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"gray must be 0 or 1, but is '%s'\",\"code\":\"bad-option\",\"option\":\"gray\"}",
    "refusal-bad-option.wm": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"wm must be name,position,opacity,scale: a configured name (a-z, 0-9), one of center, north, northeast, east, southeast, south, southwest, west, northwest, and two whole numbers from 1 to 100, but is '%s'\",\"code\":\"bad-option\",\"option\":\"wm\"}",
    "refusal-bad-option.cutout": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"cutout must be 0 or 1, but is '%s'\",\"code\":\"bad-option\",\"option\":\"cutout\"}",
    "refusal-bad-option.enh": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"enh must be one of none, auto, but is '%s'\",\"code\":\"bad-option\",\"option\":\"enh\"}",
    "refusal-bad-option.wb": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"wb must be 0 or 1, but is '%s'\",\"code\":\"bad-option\",\"option\":\"wb\"}",
    "refusal-bad-option.ov": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"ov must be text:..., image:... or several separated by ;, at most 500 bytes without control characters, but is '%s'\",\"code\":\"bad-option\",\"option\":\"ov\"}",
    "refusal-bad-option.redact": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"redact must be faces, text, pii, all, a class of objects, or several of these, but is '%s'\",\"code\":\"bad-option\",\"option\":\"redact\"}",
    "refusal-bad-option.f": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"f must be one of auto, jpeg, png, webp, avif, gif, json, thumbhash, but is '%s'\",\"code\":\"bad-option\",\"option\":\"f\"}",
    "refusal-bad-option.q": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"q must be a whole number from 1 to 100, or auto, but is '%s'\",\"code\":\"bad-option\",\"option\":\"q\"}",
    "refusal-bad-option.anim": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"anim must be 0 or 1, but is '%s'\",\"code\":\"bad-option\",\"option\":\"anim\"}",
    "refusal-bad-option.page": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"page must be a whole number from 0 to 9999, but is '%s'\",\"code\":\"bad-option\",\"option\":\"page\"}",
    "refusal-bad-option.boxes": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"boxes must be 0 or 1, but is '%s'\",\"code\":\"bad-option\",\"option\":\"boxes\"}",
    "refusal-bad-option.meta": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"meta must be one of none, rights, but is '%s'\",\"code\":\"bad-option\",\"option\":\"meta\"}",
    "refusal-bad-option.preset": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"preset must be the name of a preset (a-z, 0-9 and -), but is '%s'\",\"code\":\"bad-option\",\"option\":\"preset\"}",
    "refusal-bad-option.dl": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"dl must be a file name of at most 64 bytes without / \\\\ \\\" or control characters, but is '%s'\",\"code\":\"bad-option\",\"option\":\"dl\"}",
    "refusal-bad-option.exp": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"exp must be a whole number from 1 to 9999999999, but is '%s'\",\"code\":\"bad-option\",\"option\":\"exp\"}",
    "refusal-bad-option.s": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"s must be 43 characters of base64url, but is '%s'\",\"code\":\"bad-option\",\"option\":\"s\"}",
    "refusal-bad-key.utf8": "{\"type\":\"urn:darkroom:problem:bad-key\",\"title\":\"The path is not a valid image key\",\"status\":400,\"detail\":\"The path is not percent-encoded UTF-8\",\"code\":\"bad-key\"}",
    "refusal-bad-key.none": "{\"type\":\"urn:darkroom:problem:bad-key\",\"title\":\"The path is not a valid image key\",\"status\":400,\"detail\":\"The path names no image\",\"code\":\"bad-key\"}",
    "refusal-bad-key.long": "{\"type\":\"urn:darkroom:problem:bad-key\",\"title\":\"The path is not a valid image key\",\"status\":400,\"detail\":\"The key is longer than 700 bytes\",\"code\":\"bad-key\"}",
    "refusal-bad-key.coded": "{\"type\":\"urn:darkroom:problem:bad-key\",\"title\":\"The path is not a valid image key\",\"status\":400,\"detail\":\"The key takes %s bytes once encoded; at most 867 are allowed\",\"code\":\"bad-key\"}",
    "refusal-bad-key.byte": "{\"type\":\"urn:darkroom:problem:bad-key\",\"title\":\"The path is not a valid image key\",\"status\":400,\"detail\":\"The key holds a control character\",\"code\":\"bad-key\"}",
    "refusal-bad-key.dots": "{\"type\":\"urn:darkroom:problem:bad-key\",\"title\":\"The path is not a valid image key\",\"status\":400,\"detail\":\"The key has an empty segment, or one that is . or ..\",\"code\":\"bad-key\"}",
    "refusal-bad-key.taken": "{\"type\":\"urn:darkroom:problem:bad-key\",\"title\":\"The path is not a valid image key\",\"status\":400,\"detail\":\"/_/ is reserved and may not appear in a key\",\"code\":\"bad-key\"}",
    "refusal-bad-option.utf8": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"The query is not percent-encoded UTF-8\",\"code\":\"bad-option\"}",
    "refusal-bad-option.long": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"The options are longer than %s characters together\",\"code\":\"bad-option\"}",
    "refusal-bad-option.pages": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"Only page 0 can be redacted or cut out, or has boxes\",\"code\":\"bad-option\",\"option\":\"page\"}",
    "refusal-bad-option.name": "{\"type\":\"urn:darkroom:problem:bad-option\",\"title\":\"An option has an invalid value\",\"status\":400,\"detail\":\"preset: there is no preset '%s'; there are w320, w640, w960, w1280, w1920, cover, social\",\"code\":\"bad-option\",\"option\":\"preset\"}",
    "refusal-unknown-option": "{\"type\":\"urn:darkroom:problem:unknown-option\",\"title\":\"Unknown option\",\"status\":400,\"detail\":\"There is no option ''\",\"code\":\"unknown-option\"}",
    "refusal-unknown-option.name": "{\"type\":\"urn:darkroom:problem:unknown-option\",\"title\":\"Unknown option\",\"status\":400,\"detail\":\"There is no option '%s'\",\"code\":\"unknown-option\",\"option\":\"%s\"}",
    "refusal-duplicate-option": "{\"type\":\"urn:darkroom:problem:duplicate-option\",\"title\":\"An option is given twice\",\"status\":400,\"detail\":\"%s was given twice\",\"code\":\"duplicate-option\",\"option\":\"%s\"}",
    "refusal-bad-signature": "{\"type\":\"urn:darkroom:problem:bad-signature\",\"title\":\"The signature does not match this request\",\"status\":403,\"detail\":\"The signature does not match this request\",\"code\":\"bad-signature\"}",
    "refusal-unsigned": "{\"type\":\"urn:darkroom:problem:unsigned\",\"title\":\"This variant requires a signature\",\"status\":403,\"detail\":\"This variant requires a signature\",\"code\":\"unsigned\"}",
    "refusal-unsigned.set": "{\"type\":\"urn:darkroom:problem:unsigned\",\"title\":\"This variant requires a signature\",\"status\":403,\"detail\":\"Allowed without a signature: no options, f=json, f=thumbhash, a preset, or w of 320, 480, 640, 800, 960, 1280, 1536, 1920, 2560, 3840 with f and dpr\",\"code\":\"unsigned\"}",
    "refusal-unsigned.end": "{\"type\":\"urn:darkroom:problem:unsigned\",\"title\":\"This variant requires a signature\",\"status\":403,\"detail\":\"A link to a private image needs an expiry (exp)\",\"code\":\"unsigned\"}",
    "refusal-expired": "{\"type\":\"urn:darkroom:problem:expired\",\"title\":\"This link has expired\",\"status\":403,\"detail\":\"This link has expired\",\"code\":\"expired\"}",
    "refusal-method-not-allowed": "{\"type\":\"urn:darkroom:problem:method-not-allowed\",\"title\":\"Only GET and HEAD are allowed\",\"status\":405,\"detail\":\"Only GET and HEAD are allowed\",\"code\":\"method-not-allowed\"}",
    "refusal-internal": "{\"type\":\"urn:darkroom:problem:internal\",\"title\":\"Internal error\",\"status\":500,\"detail\":\"Internal error\",\"code\":\"internal\"}",
    "preset-w320": "{\"w\":\"320\",\"f\":\"webp\"}",
    "preset-w640": "{\"w\":\"640\",\"f\":\"webp\"}",
    "preset-w960": "{\"w\":\"960\",\"f\":\"webp\"}",
    "preset-w1280": "{\"w\":\"1280\",\"f\":\"webp\"}",
    "preset-w1920": "{\"w\":\"1920\",\"f\":\"webp\"}",
    "preset-cover": "{\"w\":\"256\",\"h\":\"256\",\"fit\":\"cover\",\"g\":\"attention\",\"f\":\"webp\"}",
    "preset-social": "{\"w\":\"1200\",\"h\":\"630\",\"fit\":\"cover\",\"g\":\"attention\",\"f\":\"jpeg\"}",
    "unsigned-fit-cover_g-attention_h-256_w-256.webp": "1",
    "unsigned-fit-cover_g-attention_h-630_w-1200.jpeg": "1"
};

// Refusals, and texts: percent-encoding, lengths in bytes, and a client's text in a refusal.

// Throws a refusal. The store has its text under a name that begins with the code; `shown` is inserted into it.
const refuse = (name, shown, status) => {
    throw [name, shown, status || 400];
};

// Names of the language that are used several times are short in the minified code.
const keysOf = Object.keys;
const percentEncode = encodeURIComponent;

const has = (list, one) => list.includes(one);

const decoded = (text, refusal) => {
    try {
        return decodeURIComponent(text);
    } catch (error) {
        refuse(refusal);
    }
};

// Percent-encodes all characters but A-Z a-z 0-9 - _ . ! ~ * ' ( ), and of these those that match `more`.
const escaped = (text, more) =>
    percentEncode(text).replace(more, character => '%' + character.charCodeAt(0).toString(16).toUpperCase());

// Encodes a percent-encoded text in letters, digits, - . _ and / only (darkroom.image_keys): .-C3A9 for %C3%A9.
const encoded = text => /[%~]|\.-/.test(text)
    ? text.replace(/\.-/g, '.%2D').replace(/~/g, '%7E').replace(/%([89AB].)/g, '$1').replace(/%/g, '.-') : text;

// Percent-encoded control characters
const CONTROLS = /%([01]|7F)/;

const byteLength = escapes => escapes.replace(/%../g, '.').length;

const printable = text => {
    const plain = text.replace(/[^ -~]+/g, percentEncode);
    return plain.length > 40 ? plain.slice(0, 40) + '...' : plain;
};

// Finds the row of an option in the table of darkroom.plan, and converts a value to its canonical spelling.

// Patterns and searches in long texts cost most in the engine.

const within = (text, low, high) => +text >= low && +text <= high ? +text + '' : '';

const integer = (text, low, high) => +text % 1 === 0 && +text + '' === text ? within(text, low, high) : '';

const decimal = (text, low, high) => /^(0|[1-9]\d{0,4})(\.\d{1,2})?$(?!\n)/.test(text) ? within(text, low, high) : '';

const compass = text => /^(center|(north|south)?(east|west)?)$(?!\n)/.test(text) ? text : '';

const oneOf = (text, words) => has(words.split(' '), text) ? text : '';

const split = text => text.split(':').join(',').split(',');

const joined = parts => has(parts, '') ? '' : parts.join('-');

// Whether a text is the name of a watermark or a class of objects.
const isName = text => /^[a-z\d]{1,32}$(?!\n)/.test(text);

// Returns what words redact together: darkroom.plan.compound_types.join_redactions.
const redactions = words => {
    const all = has(words, 'all') || has(words, 'faces') && has(words, 'text');
    const covered = all ? 'faces pii text' : has(words, 'text') ? 'pii' : '';
    return words.concat(all ? 'all' : []).sort()
        .filter((word, at, sorted) => word !== sorted[at - 1] && !has(covered, word)).join('-');
};

const OPTIONS = ';w=width|w|8192|1;h=height|w|8192|1;dpr=pixel-ratio|x|4|1|50;up=upscale|c0|0 1 ai;fit=|ccontain|contain cover fill letterbox;g=gravity|Gcenter|attention entropy face text;crop=|K|65535;rot=rotate|c0|0 90 180 270;flip=|cnone|none h v hv;trim=|w0|100;pad=padding|P0-0-0-0|2048;bg=background|r;radius=|w0|4096;blur=|x0|100|0|1;sharp=sharpen|x0|10|0|1;denoise=|w0|10;equalise=|w0|1;bri=brightness|w0|100|-100;con=contrast|w0|100|-100;sat=saturation|w0|100|-100;gam=gamma|x1|5|0.1|1;gray=grayscale|w0|1;wm=watermark|M|southeast|100|25;cutout=|w0|1;enh=|cnone|none auto;wb=|w0|1;ov=overlays|n|500|1;redact=|D;f=format|cauto|auto jpeg png webp avif gif json thumbhash|jpg|jpeg;q=quality|w|100|1|auto;anim=animate|w1|1;page=|w0|9999;boxes=|w0|1;meta=|c|none rights;preset=|a;dl=download|n|64;exp=expires|w|9999999999|1;s=signature|s;';
const FALLBACK = {_w320:{w:320,f:'webp'},_w640:{w:640,f:'webp'},_w960:{w:960,f:'webp'},_w1280:{w:1280,f:'webp'},_w1920:{w:1920,f:'webp'},_cover:{w:256,h:256,fit:'cover',g:'attention',f:'webp'},_social:{w:1200,h:630,fit:'cover',g:'attention',f:'jpeg'}};
const LADDER = [320,480,640,800,960,1280,1536,1920,2560,3840];
const CLASSES = ['auto-avif','auto-webp'];

// The table is one text, because an invocation needs few of its rows: after each ; the short and the long name with =
// between them, the letter of the kind and the default, and what the kind takes. The row that is returned has the short name
// alone in the first place, and its position in the table. A viewer's name can contain separators, so the result is
// compared. The first and the last rows are those that most requests need.
const optionOf = name => {
    const short = ';' + name + '=';
    const start = 1 + OPTIONS.lastIndexOf(short, 130) || 1 + OPTIONS.lastIndexOf(short)
        || 1 + OPTIONS.lastIndexOf(';', OPTIONS.indexOf('=' + name + '|'));
    const row = OPTIONS.slice(start, OPTIONS.indexOf(';', start)).split('|');
    const names = row[0].split('=');
    row[0] = names[0];
    row.position = start + 1;
    return name && has(names, name) ? row : 0;
};

const percentages = sides =>
    [0, 1].every(at => sides[at + 2] > 0 && Math.round(sides[at] * 100 + sides[at + 2] * 100) <= 10000)
        ? joined(['pct'].concat(sides)) : '';

const region = (parts, high) =>
    parts.length === 4 ? joined(parts.map((part, at) => integer(part, at < 2 ? 0 : 1, high)))
        : parts[0] === 'pct' && parts.length === 5 ? percentages(parts.slice(1).map(part => decimal(part, 0, 100))) : '';

const watermark = parts => isName(parts[0]) && parts.length < 5
    ? joined([parts[0], compass(parts[1]), integer(parts[2], 1, 100), integer(parts[3], 1, 100)]) : '';

const colour = text => /^([\da-f]{3,4}|([\da-f]{2}){3,4})$(?!\n)/.test(text)
    ? (text.length < 6 ? text.replace(/./g, '$&$&') : text).replace(/^(.{6})ff/, '$1') : '';

const plainText = (text, high, hasPath) => {
    const escapes = escaped(text, /[!'()*_]/g);
    return !text || byteLength(escapes) > high || CONTROLS.test(escapes) || !hasPath && /%(2F|5C|22)/.test(escapes) ? ''
        : encoded(escapes);
};

// Returns '' for an invalid text. Kinds of several values have capital letters.
const spelling = (row, text) => {
    const kind = row[1][0];
    const high = row[2];
    const low = row[3] || 0;
    const step = row[4];
    const parts = kind < 'a' && split(text);
    return kind === 'w' ? text === step ? text : integer(text, low, high)
        : kind === 'x' ? Math.round(text * 100) % step ? '' : decimal(text, low, high)
        // A list can have one synonym: step for low.
        : kind === 'c' ? oneOf(text === low ? step : text, high)
        : kind === 'r' ? colour(text.toLowerCase())
        : kind === 'G' ? parts[0] === 'fp' && parts.length === 3
            ? joined(parts.map((part, at) => at ? decimal(part, 0, 1) : part))
            : parts[0] === 'obj' && isName(parts[1]) && !parts[2] ? joined(parts) : compass(text) || oneOf(text, high)
        : kind === 'D' ? parts.every(isName) ? redactions(parts) : ''
        : kind === 'K' ? region(parts, high)
        : kind === 'P' ? has([1, 2, 4], parts.length)
            ? joined(parts.concat(parts, parts, parts).slice(0, 4).map(part => integer(part, 0, high))) : ''
        : kind === 'M' ? watermark(parts.concat(row.slice(parts.length + 1)))
        : kind === 'n' ? plainText(text, high, low)
        : (kind === 'a' ? /^[a-z\d][a-z\d-]{0,31}$(?!\n)/ : /^[\w-]{43}$(?!\n)/).test(text) ? text : '';
};

// Parses the key and the options of a request, and reports mistakes.

// Returns the percent-encoded key of a path.
const readKey = uri => {
    // Ordinary keys have only one spelling.
    if (uri.length < 700 && /^(\/[^\W_][\w.-]*)+$(?!\n)/.test(uri)) {
        return uri.slice(1);
    }
    const key = escaped(decoded(uri.slice(1), 'bad-key.utf8'), /[!'()*]/g).replace(/%2F/g, '/');
    const whole = '/' + key + '/';
    const fault = !key ? 'none'
        : byteLength(key) > 700 ? 'long'
        : encoded(key).length > 867 ? 'coded'
        : CONTROLS.test(key) ? 'byte'
        : /\/\.{0,2}\//.test(whole) ? 'dots'
        : has(whole, '/_/') ? 'taken'
        : '';
    return fault ? refuse('bad-key.' + fault, encoded(key).length) : key;
};

// Parses a query to canonical spellings by short name, '' for defaults. Of several mistakes the reported one does not
// depend on their order in the query: unknown names come first, then repeated ones, then wrong values in the order of the
// table. Mistakes are sorted as texts; positions in the table have at most four digits.
const readValues = query => {
    const values = {};
    const mistakes = [];
    const note = (rank, name, shown) => mistakes.push(1000 + rank + name + '\n' + shown);
    const isEncoded = /[%+]/.test(query);
    const plain = text => isEncoded ? decoded(text.replace(/\+/g, ' '), 'bad-option.utf8') : text;
    query.split('&').forEach(pair => {
        if (pair) {
            const cut = (pair + '=').indexOf('=');
            const name = plain(pair.slice(0, cut));
            const text = plain(pair.slice(cut + 1));
            const row = optionOf(name);
            const value = row && spelling(row, text);
            if (!row) {
                note(0, 'unknown-option' + (name && '.name'), printable(name));
            } else if (row[0] in values) {
                note(1, 'duplicate-option', row[0]);
            } else {
                values[row[0]] = !value ? note(row.position, 'bad-option.' + row[0], printable(text))
                    : row[1] === row[1][0] + value ? '' : value;
            }
        }
    });
    mistakes.sort().forEach(one => refuse.apply(0, one.slice(4).split('\n')));
    return values;
};

// Builds the plan of a request, and its variant for a viewer.

const isData = format => has('json thumbhash', format);

const scale = (plan, ratio) => ['w', 'h'].forEach(side => {
    if (plan[side]) {
        plan[side] = Math.min(8192, Math.round(plan[side] * ratio));
    }
});

// Normalises a plan as darkroom.plan.canonical does: leaves out what has no effect.
const planOf = values => {
    const plan = {};
    const format = values.f || 'auto';
    const isBox = values.w && values.h;
    const flip = values.flip || '';
    // A vertical flip is a rotation by 180 and a horizontal flip.
    const degrees = (+(values.rot || 0) + (has(flip, 'v') ? 180 : 0)) % 360;
    const omitted = ['dpr','meta','preset','exp','s', 'flip', 'rot',
        format === 'json' || 'boxes',
        isBox || 'fit',
        values.w || values.h || 'up',
        isBox && values.fit === 'cover' || 'g',
        values.crop === 'pct-0-0-100-100' && 'crop',
        has('gif png', format) && 'q',
        (values.page || values.redact || values.cutout || !has('auto gif webp', format)) && 'anim'];
    keysOf(values).forEach(name => {
        if (values[name] && !has(omitted, name) && (!isData(format) || has(['f', 'page', 'boxes'], name))) {
            plan[name] = values[name];
        }
    });
    if (isData(format)) {
        return plan;
    }
    if (values.dpr) {
        scale(plan, values.dpr);
    }
    if (flip && !flip[1]) {
        plan.flip = 'h';
    }
    if (degrees) {
        plan.rot = degrees;
    }
    if (!keysOf(plan)[0]) {
        plan.w = plan.h = '2560';
    }
    plan.f = format;
    return plan;
};

const lastPart = plan =>
    (keysOf(plan).filter(name => name !== 'f').sort().map(name => name + '-' + plan[name]).join('_') || 'full') + '.' + plan.f;

const isLadder = plan => !keysOf(plan)[2] && has(LADDER, +plan.w);

// Negotiation

const ladderWidth = wanted => LADDER.find(width => width >= wanted) || 3840;

const atRatio = (plan, text, ratio) => {
    if (isLadder(plan)) {
        return {w: ladderWidth(plan.w * ratio), f: plan.f};
    }
    const variant = Object.assign({}, plan);
    if (!text.startsWith('h-2560_w-2560.')) {
        scale(variant, ratio);
    }
    return variant;
};


/** A URL that Darkroom refuses: `code` and `option` are those of the response. */
export class Refusal extends Error {
    constructor(code, detail, option) {
        super(detail || code);
        this.code = code;
        this.option = option;
    }
}

function refusalOf(thrown) {
    const text = ENTRIES['refusal-' + thrown[0]];
    const body = JSON.parse(text.split('%s').join(JSON.stringify('' + thrown[1]).slice(1, -1)));
    return new Refusal(body.code, body.detail, body.option);
}

function withPreset(values) {
    const preset = ENTRIES['preset-' + values.preset];
    return preset ? Object.assign(JSON.parse(preset), values) : refuse('bad-option.name', values.preset);
}

function canonical(path, query) {
    const start = '/' + encoded(readKey(path)) + '/_/';
    const values = readValues(query);
    const plan = planOf(values.preset ? withPreset(values) : values);
    const text = lastPart(plan);
    const room = Math.min(800, 951 - start.length);
    if (text.length - plan.f.length - 1 > room) {
        refuse('bad-option.long', room);
    }
    if (plan.page && (plan.redact || plan.boxes || plan.cutout)) {
        refuse('bad-option.pages');
    }
    const isUnsigned = isLadder(plan) || (isData(plan.f) ? !keysOf(plan)[1] : text === 'h-2560_w-2560.' + 'auto');
    return { request: start + text, needsSignature: !isUnsigned && !ENTRIES['unsigned-' + text] };
}

/** Parse a path and a query. Throws a Refusal. */
export function read(path, query) {
    try {
        return canonical(path, query);
    } catch (error) {
        throw Array.isArray(error) ? refusalOf(error) : error;
    }
}
